// SPDX-License-Identifier: Apache-2.0
// Item 7: the same message ten times, also after newer ones, the same POST ten times at once, there and back,
// and the old after the new. Each alone, with all that it says about receipts, is in journey_test (Repeats,
// Queues).
#include <gmock/gmock.h>

#include <future>

#include "faults/by_hand.h"
#include "faults/trial.h"

namespace collect::test {
namespace {

using testing::ElementsAre;

std::vector<std::string> labels_of(Service& service, const Login& login) {
  std::vector<std::string> out;
  for (const DiffRow& diff : service.diffs(login)) out.push_back(diff.from + ">" + diff.to);
  return out;
}

TEST(Faults, RepeatsAndOrders) {
  for (const EngineKind engine : {EngineKind::embedded, EngineKind::servers}) {
    SCOPED_TRACE(name_of(engine));
    Trial trial(engine, {.systems = 0});
    trial.begin();
    Service& service = trial.service();
    Appliance box(service, service.new_system());
    const Login& login = box.login();

    push_by_hand(service, message_of(numbered_id(1), login, "2026-01-02T03:04:05Z", labelled_inventory("A")));
    ASSERT_TRUE(eventually([&] { return trial.quiet(); }, std::chrono::seconds(30)));
    EXPECT_EQ(service.history(login).size(), 1U);

    std::vector<std::future<std::string>> posts;
    for (int i = 0; i < 10; ++i) {
      posts.push_back(std::async(std::launch::async,
                                 [&] { return Appliance(service, login).accept(labelled_inventory("B")); }));
    }
    std::vector<std::string> receipts;
    for (auto& post : posts) receipts.push_back(post.get());
    box.wait_processed(receipts);
    EXPECT_EQ(service.history(login).size(), 2U);

    box.report(labelled_inventory("A"));
    EXPECT_EQ(service.history(login).size(), 3U);

    push_by_hand(service,
                 message_of(numbered_id(2), login, "2020-01-02T03:04:05Z", labelled_inventory("long ago")));
    box.report(labelled_inventory("C"));
    ASSERT_TRUE(eventually([&] { return trial.quiet(); }, std::chrono::seconds(30)));
    EXPECT_EQ(service.history(login).size(), 5U);
    EXPECT_THAT(labels_of(service, login), ElementsAre(R"("A">"B")", R"("B">"A")", R"("A">"C")"));
    EXPECT_EQ(service.dead_letters(), 0U);
  }
}

std::vector<std::string> lines_of(const std::vector<RecordRow>& history) {
  std::vector<std::string> out;
  for (const RecordRow& record : history) {
    out.push_back(std::to_string(record.id) + " " + record.timestamp + " " + record.hash + " " +
                  (record.processed ? "processed " : "open ") + std::to_string(record.change_count));
  }
  return out;
}

// Content does not tell that these are repeats, for a newer one was stored meanwhile; only their ids do. By
// their times, A would be a late record more, and B, as old as C, a return to it.
TEST(Faults, RedeliveriesChangeNothing) {
  for (const EngineKind engine : {EngineKind::embedded, EngineKind::servers}) {
    SCOPED_TRACE(name_of(engine));
    Trial trial(engine, {.systems = 0});
    trial.begin();
    Service& service = trial.service();
    const Login login = service.new_system();
    const std::string a = message_of(numbered_id(1), login, "2026-01-02T03:04:05Z", labelled_inventory("A"));
    const std::string b = message_of(numbered_id(2), login, "2026-01-03T03:04:05Z", labelled_inventory("B"));
    const std::string c = message_of(numbered_id(3), login, "2026-01-03T03:04:05Z", labelled_inventory("C"));
    const auto is_quiet = [&] { return eventually([&] { return trial.quiet(); }, std::chrono::seconds(30)); };
    const auto booked = [&] {
      return service.sql("SELECT message_id, outcome, record_id FROM processed_messages ORDER BY message_id");
    };
    for (const std::string& message : {a, b, c}) {
      push_by_hand(service, message);
      ASSERT_TRUE(is_quiet());
    }
    const auto history = lines_of(service.history(login));
    const std::string bookings = booked();
    ASSERT_EQ(history.size(), 3U);
    ASSERT_THAT(labels_of(service, login), ElementsAre(R"("A">"B")", R"("B">"C")"));

    for (int i = 0; i < 10; ++i) {
      push_by_hand(service, a);
      push_by_hand(service, b);
    }
    ASSERT_TRUE(is_quiet());
    EXPECT_GE(service.metric("collect_inventories_redelivered_total"), 2) << "they were not seen as repeats";
    EXPECT_EQ(booked(), bookings);
    EXPECT_EQ(lines_of(service.history(login)), history);
    EXPECT_THAT(labels_of(service, login), ElementsAre(R"("A">"B")", R"("B">"C")"));
    EXPECT_EQ(service.dead_letters(), 0U);
  }
}

}  // namespace
}  // namespace collect::test
