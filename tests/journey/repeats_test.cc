// SPDX-License-Identifier: Apache-2.0
// The same thing told twice, told at once, told again later, told too late: one effect for each real change.
#include <gmock/gmock.h>

#include <future>
#include <set>

#include "journey/appliance.h"

namespace collect::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Repeats : public OnEachEngine {
 protected:
  // "a>b" for each diff of the label, oldest first.
  std::vector<std::string> labels(const Login& login) {
    std::vector<std::string> out;
    for (const DiffRow& diff : service_.diffs(login)) {
      EXPECT_EQ(diff.path, "facts.label");
      EXPECT_EQ(diff.type, "update");
      out.push_back(diff.from.substr(1, diff.from.size() - 2) + ">" + diff.to.substr(1, diff.to.size() - 2));
    }
    return out;
  }

  RunningService service_{GetParam()};
  Appliance box_{service_, service_.new_system()};
};
COLLECT_ON_EACH_ENGINE(Repeats);

TEST_P(Repeats, EveryStepPostedTwice) {
  std::vector<std::string> receipts;
  for (const char* label : {"a", "b", "c", "d"}) {
    receipts.push_back(box_.accept(labelled_inventory(label)));
    receipts.push_back(box_.accept(labelled_inventory(label)));
  }
  box_.wait_processed(receipts);
  for (std::size_t i = 0; i < receipts.size(); ++i) {
    EXPECT_EQ(box_.receipt(receipts[i]).status, i % 2 == 0 ? "stored" : "unchanged");
    EXPECT_EQ(box_.receipt(receipts[i]).record_id, box_.receipt(receipts[i - i % 2]).record_id);
  }
  EXPECT_EQ(service_.history(box_.login()).size(), 4U);
  EXPECT_THAT(labels(box_.login()), ElementsAre("a>b", "b>c", "c>d"));
}

TEST_P(Repeats, ThereAndBack) {
  std::vector<std::string> receipts;
  for (const char* label : {"a", "b", "a"}) receipts.push_back(box_.accept(labelled_inventory(label)));
  box_.wait_processed(receipts);
  const auto records = service_.history(box_.login());
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].hash, records[2].hash);
  const auto diffs = service_.diffs(box_.login());
  EXPECT_THAT(labels(box_.login()), ElementsAre("a>b", "b>a"));
  ASSERT_EQ(diffs.size(), 2U);
  EXPECT_EQ(diffs[1].previous_id, records[1].id);
  EXPECT_EQ(diffs[1].current_id, records[2].id);
}

TEST_P(Repeats, ARepetitionMovesTheRecordsTimeOn) {
  box_.report(labelled_inventory("a"));
  const auto before = service_.history(box_.login());
  box_.report(labelled_inventory("a"));
  const auto after = service_.history(box_.login());
  ASSERT_EQ(after.size(), 1U);
  EXPECT_GT(after[0].timestamp, before[0].timestamp);
}

TEST_P(Repeats, TheSameBodyTenTimesAtOnce) {
  const std::string first = box_.report(labelled_inventory("before"));
  std::vector<std::future<std::string>> posts;
  for (int i = 0; i < 10; ++i) {
    posts.push_back(std::async(std::launch::async, [this] {
      return Appliance(service_, box_.login()).accept(labelled_inventory("after", 20000));
    }));
  }
  std::set<std::string> receipts;
  for (auto& post : posts) receipts.insert(post.get());
  EXPECT_EQ(receipts.size(), 10U);
  box_.wait_processed({receipts.begin(), receipts.end()});
  std::size_t stored = 0;
  for (const std::string& receipt : receipts) stored += box_.receipt(receipt).status == "stored" ? 1 : 0;
  EXPECT_EQ(stored, 1U);
  EXPECT_EQ(service_.history(box_.login()).size(), 2U);
  EXPECT_EQ(service_.diffs(box_.login()).size(), 2U) << "the label and the padding, once";
}

TEST_P(Repeats, EqualByValueMakesNoDiff) {
  const std::string receipt = box_.report(R"({"facts":{"a":1,"b":[1.0,2]},"uuid":"1"})");
  const std::string again = box_.report(R"({ "uuid" : "1", "facts": {"b":[1, 2e0],"a": 1.00} })");
  EXPECT_EQ(box_.receipt(receipt).status, "stored");
  EXPECT_EQ(box_.receipt(again).change_count, "0");
  EXPECT_THAT(service_.diffs(box_.login()), IsEmpty());
}

TEST_P(Repeats, ARepetitionAfterARestartIsStillOne) {
  box_.report(labelled_inventory("a"));
  box_.report(labelled_inventory("b"));
  EXPECT_EQ(service_.stop(), 0) << service_.log();
  service_.start();
  const std::string again = box_.report(labelled_inventory("b"));
  EXPECT_EQ(box_.receipt(again).status, "unchanged");
  EXPECT_THAT(labels(box_.login()), ElementsAre("a>b"));
}

TEST_P(Repeats, ManySystemsAtOnceKeepTheirOwnOrder) {
  std::vector<Login> logins;
  for (int i = 0; i < 6; ++i) logins.push_back(service_.new_system("Box " + std::to_string(i)));
  std::vector<std::future<void>> senders;
  for (const Login& login : logins) {
    senders.push_back(std::async(std::launch::async, [this, login] {
      Appliance box(service_, login);
      std::vector<std::string> receipts;
      for (int step = 0; step < 40; ++step) {
        receipts.push_back(box.accept(labelled_inventory(std::to_string(step))));
      }
      box.wait_processed(receipts);
    }));
  }
  for (auto& sender : senders) sender.get();
  std::vector<std::string> expected;
  for (int step = 1; step < 40; ++step)
    expected.push_back(std::to_string(step - 1) + ">" + std::to_string(step));
  for (const Login& login : logins) {
    EXPECT_EQ(labels(login), expected);
    EXPECT_EQ(service_.history(login).size(), 40U);
  }
}

}  // namespace
}  // namespace collect::test
