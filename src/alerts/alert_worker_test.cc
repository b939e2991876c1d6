// SPDX-License-Identifier: Apache-2.0
#include "alerts/alert_worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace collect::alerts {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Time kNow{std::chrono::seconds{1'800'000'000}};

// Remembers what it was asked, and tells changes once.
class FakeAlertStore final : public AlertStore {
 public:
  // All or nothing, as the port has it.
  Result<bool> raise(const StandingAlert& /*alert*/, Time /*now*/) override { return false; }
  Result<std::vector<Notified>> notify_all(std::span<const NotifyQuestion> questions,
                                           const DecideNotify& decide) override {
    ++transactions;
    const auto unsent_before = unsent;
    const auto messages_before = messages;
    std::vector<Notified> all;
    for (const NotifyQuestion& question : questions) {
      auto one = answer(question, decide);
      if (!one) {
        unsent = unsent_before;
        messages = messages_before;
        return one.failure();
      }
      all.push_back(*one);
    }
    return all;
  }
  Result<Notified> answer(const NotifyQuestion& question, const DecideNotify& decide) {
    EXPECT_EQ(question.records.size(), 1U);
    const RecordId record = question.records.front();
    const auto& system = question.system_id.text();
    asked.push_back(system + " " + std::to_string(static_cast<std::int64_t>(record)));
    sinces.push_back(question.since);
    EXPECT_EQ(question.now, kNow);
    if (const auto failure = failures.find(asked.back()); failure != failures.end()) return failure->second;
    auto& waiting = unsent[record];
    if (waiting.empty()) return Notified{};
    for (const auto& [earlier, diffs] : unsent) {
      if (question.out_of_order || earlier == record) break;
      if (!diffs.empty() && owner[earlier] == system) return Notified{.earlier = earlier};
    }
    NotifyState state;
    state.system.id = question.system_id;
    state.system.name = system;
    state.open = open;
    state.unsent = std::exchange(waiting, {});
    const NotifyPlan plan = decide(state);
    for (const NewAlert& alert : plan.alerts) messages.push_back(alert.message);
    return Notified{state.unsent.size(), plan.alerts.size(), plan.resolved.size()};
  }
  Result<std::vector<UnsentRecord>> unfinished(Time, std::size_t) override { return internal("not asked"); }
  Result<Count> count(const AlertFilter&) override { return internal("not asked"); }
  Result<std::vector<ListedAlert>> list(const AlertFilter&) override { return internal("not asked"); }
  Result<std::optional<ShownAlert>> find(AlertId) override { return internal("not asked"); }
  Result<bool> resolve(AlertId, Time) override { return internal("not asked"); }

  std::map<RecordId, std::vector<StoredDiff>> unsent;
  std::map<RecordId, std::string> owner;  // a system
  std::vector<OpenAlert> open;
  std::map<std::string, Failure> failures;  // by what was asked
  std::vector<std::string> asked;
  std::vector<Time> sinces;
  std::vector<std::string> messages;
  int transactions = 0;
};

class AlertWorkerTest : public testing::Test {
 protected:
  static queue::Message message(const std::string& system, const std::string& data, Time created_at = kNow) {
    queue::Message message;
    message.type = queue::Stage::notification;
    message.system_id = SystemId(system);
    message.data = data;
    message.created_at = created_at;
    return message;
  }

  void changed(std::int64_t record, diff::ChangeType type, const std::string& path) {
    StoredDiff diff;
    diff.id = DiffId{++last_diff_};
    diff.record_id = RecordId{record};
    diff.type = type;
    diff.field_path = path;
    diff.created_at = kNow;
    store_.unsent[diff.record_id].push_back(diff);
  }

  // Outcomes as "done" or the reason of the failure.
  std::vector<std::string> handle(const std::vector<queue::Message>& messages) {
    const auto outcomes = worker_.handle(messages, [this] { return ours_; });
    if (!outcomes) return {std::string(to_string(outcomes.failure().kind))};
    std::vector<std::string> texts;
    for (const auto& outcome : *outcomes) {
      const auto* failed = std::get_if<queue::Failed>(&outcome);
      texts.push_back(failed != nullptr ? failed->reason : "done");
    }
    return texts;
  }

  static NotificationRules rules() {
    auto rules = NotificationRules::load(R"(
notifications:
  pattern: { window_hours: 2 }
  rules:
    - { alert_type: gone, match: { change_type: delete }, message: '{{.path}} of {{.system_name}}' }
)",
                                         "test.yml");
    if (!rules) throw std::runtime_error(rules.failure().message);
    return *std::move(rules);
  }

  FakeAlertStore store_;
  ManualClock clock_{kNow};
  int wakes_ = 0;
  bool ours_ = true;
  std::int64_t last_diff_ = 0;
  AlertWorker worker_{store_, rules, clock_, [this] { ++wakes_; }};
};

TEST_F(AlertWorkerTest, TellsWhatTheRulesSay) {
  changed(7, diff::ChangeType::delete_, "facts.a");
  changed(7, diff::ChangeType::create, "facts.b");
  EXPECT_THAT(handle({message("s1", R"({"record_id":7})")}), ElementsAre("done"));
  EXPECT_THAT(store_.messages, ElementsAre("facts.a of s1"));
  EXPECT_EQ(worker_.counters().records, 1U);
  EXPECT_EQ(worker_.counters().changes, 2U);
  EXPECT_EQ(worker_.counters().alerts, 1U);
  EXPECT_EQ(wakes_, 1);
}

TEST_F(AlertWorkerTest, ARedeliveredMessageIsDoneAndSaysNothing) {
  changed(7, diff::ChangeType::delete_, "facts.a");
  handle({message("s1", R"({"record_id":7})")});
  EXPECT_THAT(handle({message("s1", R"({"record_id":7})")}), ElementsAre("done"));
  EXPECT_THAT(store_.messages, testing::SizeIs(1));
  EXPECT_EQ(worker_.counters().records, 1U);
  EXPECT_EQ(wakes_, 1);
}

TEST_F(AlertWorkerTest, NobodyIsWokenWithoutNews) {
  changed(7, diff::ChangeType::create, "facts.a");
  EXPECT_THAT(handle({message("s1", R"({"record_id":7})")}), ElementsAre("done"));
  EXPECT_EQ(worker_.counters().changes, 1U);
  EXPECT_EQ(wakes_, 0);
}

TEST_F(AlertWorkerTest, AResolvedAlertIsNews) {
  changed(7, diff::ChangeType::create, "facts.a");
  store_.open = {{AlertId{1}, "gone", diff::ChangeType::delete_, "facts.a", "1"}};
  handle({message("s1", R"({"record_id":7})")});
  EXPECT_EQ(worker_.counters().resolved, 1U);
  EXPECT_EQ(wakes_, 1);
}

TEST_F(AlertWorkerTest, AsksForEachRecordOnceAndInOrder) {
  handle({message("s2", R"({"record_id":9})"), message("s1", R"({"record_id":12})"),
          message("s1", R"({"record_id":8})"), message("s2", R"({"record_id":9})")});
  EXPECT_THAT(store_.asked, ElementsAre("s1 8", "s1 12", "s2 9"));
  EXPECT_EQ(store_.transactions, 1);
}

TEST_F(AlertWorkerTest, EarlierRecordsAreToldFirst) {
  for (const int record : {3, 5, 8}) {
    changed(record, diff::ChangeType::delete_, "facts.r" + std::to_string(record));
    store_.owner[RecordId{record}] = "s1";
  }
  EXPECT_THAT(handle({message("s1", R"({"record_id":8})")}), ElementsAre("done"));
  EXPECT_THAT(store_.messages, ElementsAre("facts.r3 of s1", "facts.r5 of s1", "facts.r8 of s1"));
}

TEST_F(AlertWorkerTest, AnEarlierRecordThatIsRefusedHoldsNoLaterOne) {
  for (const int record : {3, 8}) {
    changed(record, diff::ChangeType::delete_, "facts.r" + std::to_string(record));
    store_.owner[RecordId{record}] = "s1";
  }
  store_.failures.emplace("s1 3", invalid("the engine refuses it"));
  EXPECT_THAT(handle({message("s1", R"({"record_id":8})")}), ElementsAre("done"));
  EXPECT_THAT(store_.messages, ElementsAre("facts.r8 of s1"));
}

TEST_F(AlertWorkerTest, AnEarlierRecordsOutageIsNobodysFault) {
  for (const int record : {3, 8}) {
    changed(record, diff::ChangeType::delete_, "facts.r" + std::to_string(record));
    store_.owner[RecordId{record}] = "s1";
  }
  store_.failures.emplace("s1 3", unavailable("no connection"));
  EXPECT_THAT(handle({message("s1", R"({"record_id":8})")}), ElementsAre("unavailable"));
  EXPECT_THAT(store_.messages, IsEmpty());
}

TEST_F(AlertWorkerTest, LooksBackFromTheOldestMessage) {
  handle({message("s1", R"({"record_id":1})", kNow - minutes(1)),
          message("s1", R"({"record_id":1})", kNow - hours(5)), message("s2", R"({"record_id":2})", Time{})});
  EXPECT_THAT(store_.sinces, ElementsAre(kNow - hours(5) - hours(1) - hours(2), kNow - hours(1) - hours(2)));
}

TEST_F(AlertWorkerTest, AMessageWithoutARecordFailsAlone) {
  changed(7, diff::ChangeType::delete_, "facts.a");
  const auto texts = handle({message("s1", "{}"), message("s1", R"({"record_id":7})"),
                             message("", R"({"record_id":7})"), message("s1", R"({"record_id":"7"})")});
  const std::string reason = "expected a system_id and in data.record_id the number of a record";
  EXPECT_THAT(texts, ElementsAre(reason, "done", reason, reason));
  EXPECT_THAT(store_.asked, ElementsAre("s1 7"));
}

TEST_F(AlertWorkerTest, WhatIsRefusedHoldsNoNeighbour) {
  changed(8, diff::ChangeType::delete_, "facts.b");
  store_.failures.emplace("s1 7", invalid("the engine refuses it"));
  EXPECT_THAT(handle({message("s1", R"({"record_id":7})"), message("s2", R"({"record_id":8})")}),
              ElementsAre("the engine refuses it", "done"));
  EXPECT_THAT(store_.messages, ElementsAre("facts.b of s2"));
}

TEST_F(AlertWorkerTest, AnOutageIsNobodysFault) {
  store_.failures.emplace("s1 7", unavailable("no connection"));
  EXPECT_THAT(handle({message("s1", R"({"record_id":7})"), message("s2", R"({"record_id":8})")}),
              ElementsAre("unavailable"));
  EXPECT_THAT(store_.asked, ElementsAre("s1 7"));
}

TEST_F(AlertWorkerTest, LeavesABatchThatIsSomebodyElses) {
  ours_ = false;
  EXPECT_THAT(handle({message("s1", R"({"record_id":7})")}), ElementsAre("conflict"));
  EXPECT_THAT(store_.asked, IsEmpty());
}

TEST_F(AlertWorkerTest, BuryingKeepsTheChangesForTheSweep) {
  EXPECT_TRUE(worker_.bury(std::vector{message("s1", R"({"record_id":7})")}).ok());
  EXPECT_THAT(store_.asked, IsEmpty());
}

}  // namespace
}  // namespace collect::alerts
