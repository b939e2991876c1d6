// SPDX-License-Identifier: Apache-2.0
// The queues as people and other programs meet them: redis-cli on names that they know, messages pushed by
// hand.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "journey/appliance.h"

namespace collect::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::string id_number(int number) {
  std::string digits = std::to_string(number);
  return "10000000-0000-4000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

// As another program writes it: contract section 5, with blanks.
std::string message(const std::string& id, const std::string& system_id, const std::string& timestamp,
                    const std::string& inventory) {
  return R"({"id": ")" + id + R"(", "type": "inventory", "system_id": ")" + system_id +
         R"(", "data": {"system_id": ")" + system_id + R"(", "timestamp": ")" + timestamp + R"(", "data": )" +
         inventory + R"(}, "attempts": 0, "max_attempts": 3, "created_at": ")" + timestamp + R"("})";
}

class Queues : public testing::Test {
 protected:
  void push(const std::string& text) { service_.redis_cli({"-x", "lpush", "collect:inventory"}, text); }
  std::string llen(const std::string& key) { return service_.redis_cli({"llen", key}); }
  bool drained() {
    return eventually([&] { return service_.queues_empty(); }, std::chrono::seconds(30));
  }

  Service service_{EngineKind::servers, {{"QUEUE_RETRY_DELAY", "100ms"}}};
};

TEST_F(Queues, WithoutWorkersMessagesWaitInTheirListUntilOneComes) {
  service_.start({"--role", "api"});
  Appliance box(service_, service_.new_system());
  std::vector<std::string> receipts;
  for (const char* label : {"a", "b", "c"}) receipts.push_back(box.accept(labelled_inventory(label)));
  EXPECT_EQ(llen("collect:inventory"), "3");
  EXPECT_EQ(llen("collect:processing"), "0");
  EXPECT_EQ(service_.redis_cli({"zcard", "collect:inventory:delayed"}), "0");
  EXPECT_EQ(llen("collect:inventory:dead"), "0");
  EXPECT_EQ(box.receipt(receipts[0]).status, "queued");

  // The newest is at the head.
  const auto newest = parsed(service_.redis_cli({"lindex", "collect:inventory", "0"}));
  const auto& root = newest.root();
  for (const char* key : {"id", "type", "system_id", "data", "attempts", "max_attempts", "created_at"}) {
    EXPECT_NE(root.find(key), nullptr) << key;
  }
  EXPECT_EQ(text_of(root, "id"), receipts[2]);
  EXPECT_EQ(text_of(root, "type"), "inventory");
  EXPECT_EQ(text_of(root, "attempts"), "0");
  EXPECT_EQ(text_of(*root.find("data"), "system_id"), box.login().id);
  EXPECT_EQ(root.at({"data", "data", "facts", "label"})->text, "c");

  const auto worker = service_.launch({"serve", "--role", "worker"});
  box.wait_processed(receipts);
  EXPECT_TRUE(eventually([&] { return llen("collect:inventory") == "0"; }));
  EXPECT_EQ(service_.diffs(box.login()).size(), 2U);
  EXPECT_EQ(worker->stop(), 0) << worker->err();
}

TEST_F(Queues, AMessagePushedByHandIsProcessed) {
  service_.start();
  const Login login = service_.new_system();
  push(message(id_number(1), login.id, "2026-01-02T03:04:05Z", R"({"facts":{"label":"a"}})"));
  push(message(id_number(2), login.id, "2026-01-02T04:04:05.123456Z", R"({"facts":{"label":"b"}})"));
  ASSERT_TRUE(eventually([&] { return service_.diffs(login).size() == 1; })) << service_.log();
  EXPECT_EQ(service_.diffs(login).front().path, "facts.label");
  const auto records = service_.history(login);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_THAT(records[0].timestamp, HasSubstr("2026-01-02T03:04:05"));

  // The same message again, as a second delivery.
  push(message(id_number(1), login.id, "2026-01-02T03:04:05Z", R"({"facts":{"label":"a"}})"));
  ASSERT_TRUE(drained());
  EXPECT_EQ(service_.history(login).size(), 2U);
  EXPECT_EQ(service_.diffs(login).size(), 1U);
}

TEST_F(Queues, ALateMessageHasItsOwnRecordAndNoDiffs) {
  service_.start();
  Appliance box(service_, service_.new_system());
  box.report(labelled_inventory("now"));
  push(message(id_number(3), box.login().id, "2020-01-02T03:04:05Z", labelled_inventory("long ago")));
  ASSERT_TRUE(eventually([&] { return service_.history(box.login()).size() == 2; }));
  box.report(labelled_inventory("next"));
  ASSERT_TRUE(drained());
  const auto diffs = service_.diffs(box.login());
  ASSERT_EQ(diffs.size(), 1U);
  EXPECT_EQ(diffs[0].from, R"("now")");
  EXPECT_EQ(diffs[0].to, R"("next")");
  const auto latest = parsed(service_.cli_output({"inventory", "latest", box.login().key, "--json"}));
  EXPECT_EQ(latest.root().at({"data", "facts", "label"})->text, "next");
  for (const RecordRow& record : service_.history(box.login())) EXPECT_TRUE(record.processed);
}

TEST_F(Queues, GarbageDiesWithItsReasonAndItsNeighboursLive) {
  service_.start({"--role", "api"});
  Appliance box(service_, service_.new_system());
  std::vector<std::string> receipts;
  const std::string binary = "\x80\xFF{\x01 not json";
  receipts.push_back(box.accept(labelled_inventory("a")));
  push(binary);
  receipts.push_back(box.accept(labelled_inventory("b")));
  push("{}");
  push("null");
  push(R"({"id":"x","type":"inventory"})");
  receipts.push_back(box.accept(labelled_inventory("c")));
  const auto worker = service_.launch({"serve", "--role", "worker"});
  box.wait_processed(receipts);
  ASSERT_TRUE(eventually([&] { return llen("collect:inventory:dead") == "4"; }))
      << llen("collect:inventory:dead") << worker->err();
  EXPECT_EQ(service_.diffs(box.login()).size(), 2U);

  const std::string letters = service_.redis_cli({"lrange", "collect:inventory:dead", "0", "-1"});
  std::istringstream lines(letters);
  int read = 0;
  for (std::string line; std::getline(lines, line); ++read) {
    const auto letter = parsed(line);
    EXPECT_GT(text_of(letter.root(), "error").size(), 10U) << line;
  }
  EXPECT_EQ(read, 4);
  EXPECT_THAT(letters, HasSubstr("gP97ASBub3QganNvbg==")) << "the bytes are kept, here as base64";
  EXPECT_THAT(letters, HasSubstr(R"({"text":"null"})"));
  const auto counted = [&] {
    return service_.metric("collect_queue_messages", {R"(state="dead")", R"(stage="inventory")"});
  };
  EXPECT_TRUE(eventually([&] { return counted() == 4; })) << counted();
}

TEST_F(Queues, BadDataIsTriedAgainLaterAndThenDiesWithEveryError) {
  service_.settings()["QUEUE_RETRY_DELAY"] = "1s";
  service_.start();
  Appliance box(service_, service_.new_system());
  push(message(id_number(4), "no-such-system", "2026-01-02T03:04:05Z", R"({"a":1})"));
  EXPECT_TRUE(eventually([&] { return service_.redis_cli({"zcard", "collect:inventory:delayed"}) == "1"; }));
  box.report(labelled_inventory("others go on"));
  ASSERT_TRUE(eventually([&] { return llen("collect:inventory:dead") == "1"; }, std::chrono::seconds(20)));
  EXPECT_EQ(service_.redis_cli({"zcard", "collect:inventory:delayed"}), "0");
  const auto letter = parsed(service_.redis_cli({"lindex", "collect:inventory:dead", "0"}));
  EXPECT_EQ(text_of(letter.root(), "id"), id_number(4));
  EXPECT_EQ(text_of(letter.root(), "attempts"), "3");
  EXPECT_EQ(letter.root().at({"data", "data", "a"})->text, "1");
  const std::string error = text_of(letter.root(), "error");
  for (const char* attempt : {"attempt 1", "attempt 2", "attempt 3", "no-such-system"}) {
    EXPECT_THAT(error, HasSubstr(attempt));
  }
}

TEST_F(Queues, DeadLettersAreLookedAtRetriedAndDeletedByCommand) {
  service_.start();
  push(message(id_number(5), "no-such-system", "2026-01-02T03:04:05Z", R"({"a":1})"));
  const auto dead = [&](std::size_t attempts_told) {
    return eventually([&] {
      const auto letters = parsed(service_.cli_output({"queue", "peek", "inventory", "--json"}));
      if (letters.root().elements.size() != 1) return false;
      const std::string error = text_of(letters.root().elements[0], "error");
      return std::count(error.begin(), error.end(), '\n') + 1 == static_cast<std::ptrdiff_t>(attempts_told);
    });
  };
  ASSERT_TRUE(dead(3)) << service_.log();
  EXPECT_THAT(service_.cli_output({"queue", "peek", "inventory"}), HasSubstr(id_number(5)));
  const auto stats = parsed(service_.cli_output({"queue", "stats", "--json"}));
  EXPECT_EQ(text_of(stats.root().elements[0], "stage"), "inventory");
  EXPECT_EQ(text_of(stats.root().elements[0], "dead"), "1");

  EXPECT_EQ(service_.cli({"queue", "retry", "inventory", id_number(6)}).exit_code, 3);
  service_.cli_output({"queue", "retry", "inventory", id_number(5)});
  ASSERT_TRUE(dead(6)) << "it failed again, and what was wrong before is not forgotten";

  EXPECT_EQ(service_.cli({"queue", "purge", "inventory", "--all"}).exit_code, 4) << "nobody said yes";
  EXPECT_EQ(llen("collect:inventory:dead"), "1");
  service_.cli_output({"queue", "purge", "inventory", "--all", "--yes"});
  EXPECT_EQ(llen("collect:inventory:dead"), "0");
}

TEST_F(Queues, QueuesMayHaveOtherNames) {
  service_.settings()["QUEUE_INVENTORY_NAME"] = "other:inventory";
  service_.start({"--role", "api"});
  Appliance box(service_, service_.new_system());
  box.accept(labelled_inventory("a"));
  EXPECT_EQ(llen("other:inventory"), "1");
  EXPECT_EQ(llen("collect:inventory"), "0");
}

TEST_F(Queues, AFullQueueRefusesBeforeItPromises) {
  service_.settings()["QUEUE_MAX_DEPTH"] = "100";
  service_.start({"--role", "api"});
  Appliance box(service_, service_.new_system());
  std::vector<std::string> receipts;
  for (int i = 0; i < 100; ++i) receipts.push_back(box.accept(labelled_inventory(std::to_string(i))));
  const auto refused = box.post(labelled_inventory("one too many"));
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_NE(refused.header("Retry-After"), "");
  EXPECT_EQ(llen("collect:inventory"), "100");
  const auto worker = service_.launch({"serve", "--role", "worker"});
  box.wait_processed(receipts);
  EXPECT_EQ(box.post(labelled_inventory("one too many")).status, 202);
}

TEST_F(Queues, TwoWorkersKeepEachSystemsOrder) {
  service_.start({"--role", "api"});
  std::map<std::string, std::vector<std::string>> receipts;
  std::vector<std::unique_ptr<Appliance>> boxes;
  for (int i = 0; i < 5; ++i) {
    boxes.push_back(std::make_unique<Appliance>(service_, service_.new_system("Box " + std::to_string(i))));
  }
  const auto one = service_.launch({"serve", "--role", "worker"});
  const auto two = service_.launch({"serve", "--role", "worker"});
  for (int step = 0; step < 60; ++step) {
    for (const auto& box : boxes) {
      receipts[box->login().key].push_back(box->accept(labelled_inventory(std::to_string(step))));
    }
    if (step == 30) one->kill_hard();
  }
  for (const auto& box : boxes) {
    box->wait_processed(receipts[box->login().key]);
    const auto diffs = service_.diffs(box->login());
    ASSERT_EQ(diffs.size(), 59U);
    for (std::size_t i = 0; i < diffs.size(); ++i)
      EXPECT_EQ(diffs[i].to, "\"" + std::to_string(i + 1) + "\"");
  }
}

}  // namespace
}  // namespace collect::test
