// SPDX-License-Identifier: Apache-2.0
// What the ports' contract suite cannot know: how the rows look, and what people do to them by hand.
#include "backend/sqlite/sqlite_stores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "backend/sqlite/migrations.h"
#include "base/hash.h"

namespace collect::sqlite {
namespace {

namespace fs = std::filesystem;
using inventory::Arrival;
using inventory::IntakePlan;
using inventory::IntakeState;
using inventory::Outcome;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr Time kNow{std::chrono::seconds{1767323045}};  // 2026-01-02T03:04:05Z
const SystemId kSystem("s1");

class SqliteStoresTest : public testing::Test {
 protected:
  void SetUp() override {
    auto pattern = (fs::path(testing::TempDir()) / "collect-stores-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    auto opened = Database::open(folder_ / "collect.db", {});
    ASSERT_TRUE(opened.ok()) << opened.failure().message;
    db_ = std::move(*opened);
    ASSERT_TRUE(migrate(*db_, kNow).ok());
    stores_ = std::make_unique<SqliteStores>(*db_);
    systems::Organization organization;
    organization.row_id = "row-1";
    organization.logto_id = OrganizationId("logto-1");
    organization.name = "Rossi";
    organization.vat = "IT01";
    organization.managed_by = "reseller-1";
    ASSERT_TRUE(ports().systems.create_organization(organization, kNow).ok());
    ASSERT_TRUE(create_system("s1", "NETH-1").ok());
  }
  void TearDown() override {
    stores_.reset();
    db_.reset();
    fs::remove_all(folder_);
  }

  backend::Stores ports() { return stores_->ports(); }

  Result<void> create_system(const std::string& id, const std::string& key) {
    return ports().systems.create(
        {SystemId(id), key, "", OrganizationId("row-1"), {"public-" + id, "salt:hash"}, true}, kNow);
  }

  static Arrival arrival(const std::string& message, const std::string& document, Time at) {
    return {MessageId(message), kSystem, at, std::nullopt, document, to_hex(sha256(document))};
  }

  // Stores one record and books its message.
  Result<std::vector<RecordId>> store(const Arrival& one,
                                      const inventory::SystemUpdate& update = {kSystem, {}, std::nullopt},
                                      const std::vector<inventory::ApplicationSync>& applications = {}) {
    return ports().intake.take_in(std::span(&one, 1), one.received_at, [&](const IntakeState& state) {
      IntakePlan plan;
      if (state.processed.contains(one.message_id)) return plan;
      plan.records.push_back({0, "derived", false});
      plan.systems.push_back(update);
      plan.applications = applications;
      plan.processed.push_back({one.message_id, kSystem, Outcome::stored,
                                inventory::RecordRef{std::nullopt, 0}, "", one.received_at});
      return plan;
    });
  }

  void sql(const std::string& script) {
    ASSERT_TRUE(db_->write([&](Transaction& transaction) { transaction.script(script); }).ok());
  }

  std::vector<std::string> column(const std::string& query) {
    auto texts = db_->read([&](Snapshot& snapshot) {
      std::vector<std::string> found;
      auto row = snapshot.query(query);
      while (row.next()) found.push_back(row.is_null(0) ? "NULL" : row.text(0));
      return found;
    });
    EXPECT_TRUE(texts.ok());
    return texts.ok() ? *texts : std::vector<std::string>{};
  }

  fs::path folder_;
  std::unique_ptr<Database> db_;
  std::unique_ptr<SqliteStores> stores_;
};

TEST_F(SqliteStoresTest, ASystemComesWithItsOrganization) {
  const auto login = ports().systems.find("NETH-1");
  ASSERT_TRUE(login.ok() && login->has_value());
  const auto& system = (*login)->system;
  EXPECT_EQ(system.id, kSystem);
  EXPECT_EQ(system.status, "unknown");
  EXPECT_EQ(system.organization_id, OrganizationId("logto-1"));
  EXPECT_EQ(system.organization.row_id, "row-1");
  EXPECT_EQ(system.organization.vat, "IT01");
  EXPECT_EQ(system.organization.managed_by, "reseller-1");
  EXPECT_EQ(system.organization.type, systems::OrganizationType::customer);
  EXPECT_EQ((*login)->secret->public_part, "public-s1");
  const auto by_id = ports().systems.find("s1");
  ASSERT_TRUE(by_id.ok() && by_id->has_value());
  EXPECT_EQ((*by_id)->system.system_key, "NETH-1");
  const auto nobody = ports().systems.find("NETH-2");
  ASSERT_TRUE(nobody.ok());
  EXPECT_FALSE(nobody->has_value());
}

TEST_F(SqliteStoresTest, RowsThatPeopleChangedByHandAreRead) {
  sql("UPDATE customers SET custom_data = 'no json', logto_id = NULL;"
      "UPDATE systems SET organization_id = 'row-1', suspended_at = datetime('now'), system_secret_sha256 = "
      "NULL");
  const auto login = ports().systems.find("s1");
  ASSERT_TRUE(login.ok()) << login.failure().message;
  ASSERT_TRUE(login->has_value());
  EXPECT_TRUE((*login)->system.suspended_at.has_value());
  EXPECT_FALSE((*login)->secret.has_value());
  EXPECT_EQ((*login)->system.organization.logto_id, OrganizationId("row-1"));
  EXPECT_EQ((*login)->system.organization.vat, std::nullopt);

  sql("UPDATE systems SET organization_id = 'the owner'");
  const auto owned = ports().systems.find("s1");
  ASSERT_TRUE(owned.ok() && owned->has_value());
  EXPECT_EQ((*owned)->system.organization.type, systems::OrganizationType::owner);
  EXPECT_EQ((*owned)->system.organization.name, "");
}

TEST_F(SqliteStoresTest, SystemsOfAnOrganizationAreFoundByEitherOfItsIds) {
  ASSERT_TRUE(create_system("s2", "NETH-2").ok());
  sql("UPDATE systems SET organization_id = 'row-1' WHERE id = 's2'");
  for (const auto* id : {"row-1", "logto-1"}) {
    const auto list = ports().systems.list({OrganizationId(id), false});
    ASSERT_TRUE(list.ok());
    EXPECT_EQ(list->size(), 2U) << id;
  }
}

TEST_F(SqliteStoresTest, TheRevisionGrowsWithEveryChange) {
  systems::SystemChange removal;
  removal.remove = true;
  EXPECT_EQ(*ports().systems.revision(), 1);
  ASSERT_TRUE(ports().systems.change(kSystem, removal, kNow).ok());
  EXPECT_EQ(*ports().systems.revision(), 2);
  EXPECT_EQ(ports().systems.change(SystemId("s9"), {}, kNow).failure().kind, FailureKind::not_found);
  EXPECT_EQ(create_system("s2", "NETH-1").failure().kind, FailureKind::conflict);
  EXPECT_EQ(*ports().systems.revision(), 2);
  EXPECT_THAT(column("SELECT status FROM systems"), ElementsAre("deleted"));
}

TEST_F(SqliteStoresTest, ADocumentComesBackByteByByte) {
  const std::string document = R"({"a" : 1.0, "b":[12345678901234567890], "c":"è\u00e8"} )";
  const auto ids = store(arrival("m1", document, kNow));
  ASSERT_TRUE(ids.ok()) << ids.failure().message;
  const auto stored = ports().history.document(ids->at(0));
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(*stored, document);
  const auto latest = ports().history.latest(kSystem);
  ASSERT_TRUE(latest.ok() && latest->has_value());
  EXPECT_EQ((*latest)->size_bytes, static_cast<std::int64_t>(document.size()));
  EXPECT_EQ((*latest)->timestamp, kNow);
}

TEST_F(SqliteStoresTest, OneRefusedValueTakesTheWholeBatchBack) {
  const std::vector<Arrival> batch = {arrival("m1", "{}", kNow), arrival("m2", "{ }", kNow)};
  const auto refused = ports().intake.take_in(batch, kNow, [&](const IntakeState&) {
    IntakePlan plan;
    plan.records = {{0, "", false}, {1, "", false}};
    plan.processed.push_back({MessageId("m1"), SystemId("s1"), Outcome::stored, std::nullopt, "", kNow});
    plan.applications.push_back({SystemId("no such system"), {{}}, kNow});
    return plan;
  });
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.failure().kind, FailureKind::invalid);
  EXPECT_THAT(column("SELECT id FROM inventory_records"), IsEmpty());
  EXPECT_THAT(column("SELECT message_id FROM processed_messages"), IsEmpty());
}

TEST_F(SqliteStoresTest, ADeadMessageThatIsSentRoundAgainCounts) {
  const inventory::ProcessedMessage dead{MessageId("m1"), kSystem,    Outcome::dead,
                                         std::nullopt,    "bad luck", kNow};
  ASSERT_TRUE(ports().intake.book_dead(std::span(&dead, 1), kNow).ok());
  ASSERT_TRUE(ports().intake.book_dead(std::span(&dead, 1), kNow).ok());
  auto receipt = ports().intake.receipt(kSystem, MessageId("m1"));
  ASSERT_TRUE(receipt.ok() && receipt->has_value());
  EXPECT_EQ((*receipt)->outcome, Outcome::dead);
  EXPECT_EQ((*receipt)->reason, "bad luck");

  ASSERT_TRUE(store(arrival("m1", "{}", kNow)).ok());
  receipt = ports().intake.receipt(kSystem, MessageId("m1"));
  ASSERT_TRUE(receipt.ok() && receipt->has_value());
  EXPECT_EQ((*receipt)->outcome, Outcome::stored);
  EXPECT_FALSE((*receipt)->compared);
  // And what was stored stays so.
  ASSERT_TRUE(ports().intake.book_dead(std::span(&dead, 1), kNow).ok());
  EXPECT_THAT(column("SELECT outcome FROM processed_messages"), ElementsAre("stored"));
  EXPECT_FALSE(ports().intake.receipt(SystemId("s2"), MessageId("m1"))->has_value());
}

TEST_F(SqliteStoresTest, FactsMoveUpdatedAtOnlyWhenTheyChangeAColumn) {
  const auto later = [](int minutes) { return kNow + std::chrono::minutes(minutes); };
  inventory::SystemFacts facts;
  facts.name = "pippo";
  facts.fqdn = "a.example";
  ASSERT_TRUE(store(arrival("m1", "1", later(1)), {kSystem, later(1), facts}).ok());
  ASSERT_TRUE(store(arrival("m2", "2", later(2)), {kSystem, later(2), facts}).ok());
  EXPECT_THAT(column("SELECT updated_at FROM systems"), ElementsAre(to_rfc3339(later(1))));
  EXPECT_THAT(column("SELECT last_inventory_at FROM systems"), ElementsAre(to_rfc3339(later(2))));
  facts.name = "pluto";
  facts.fqdn = std::nullopt;
  ASSERT_TRUE(store(arrival("m3", "3", later(3)), {kSystem, later(0), facts}).ok());
  EXPECT_THAT(column("SELECT name || ' ' || fqdn FROM systems"), ElementsAre("pippo a.example"));
  EXPECT_THAT(column("SELECT updated_at FROM systems"), ElementsAre(to_rfc3339(later(1))));
  EXPECT_THAT(column("SELECT last_inventory_at FROM systems"), ElementsAre(to_rfc3339(later(2))));
}

TEST_F(SqliteStoresTest, ApplicationsComeChangeGoAndReturn) {
  const auto later = [](int minutes) { return kNow + std::chrono::minutes(minutes); };
  inventory::Application mail{"mail1", "mail", "Mail", "ghcr.io/mail", std::nullopt,
                              1,       "node", "1.0",  std::nullopt,   "{}"};
  const auto sync = [&](int minute, const std::vector<inventory::Application>& applications) {
    const auto at = later(minute);
    ASSERT_TRUE(store(arrival("m" + std::to_string(minute), std::to_string(minute), at),
                      {kSystem, at, std::nullopt}, {{kSystem, applications, at}})
                    .ok());
  };
  const auto row = [&] {
    return column(
        "SELECT id || ' ' || version || ' ' || organization_id || ' ' || organization_type || ' ' || status"
        "   || ' ' || substr(updated_at, 15, 2) || ' ' || coalesce(substr(deleted_at, 15, 2), '-') FROM "
        "applications");
  };
  sync(1, {mail});
  sync(2, {mail});
  EXPECT_THAT(row(), ElementsAre("s1-mail1 1.0 logto-1 customer unassigned 05 -"));
  mail.version = "2.0";
  sync(3, {mail});
  EXPECT_THAT(row(), ElementsAre("s1-mail1 2.0 logto-1 customer unassigned 07 -"));
  sync(4, {});
  sync(5, {});
  EXPECT_THAT(row(), ElementsAre("s1-mail1 2.0 logto-1 customer unassigned 08 08"));
  sync(6, {mail});
  EXPECT_THAT(row(), ElementsAre("s1-mail1 2.0 logto-1 customer unassigned 10 -"));
  EXPECT_THAT(column("SELECT first_seen_at FROM applications"), ElementsAre(to_rfc3339(later(1))));
}

TEST_F(SqliteStoresTest, RecordsAreComparedInTheirOrder) {
  const auto first = store(arrival("m1", "1", kNow))->at(0);
  const auto second = store(arrival("m2", "2", kNow + std::chrono::minutes(1)))->at(0);
  const auto unfinished = ports().comparison.unfinished(kNow + std::chrono::hours(1), 10);
  ASSERT_TRUE(unfinished.ok());
  ASSERT_EQ(unfinished->size(), 2U);
  EXPECT_EQ(unfinished->front().record_id, first);

  diff::Change change;
  change.field_path = "facts.x";
  change.category = "system";
  change.current_value = "2";
  const auto compared = ports().comparison.compare(
      {std::span(&kSystem, 1), 20, kNow, kNow}, [&](const inventory::ComparisonState& state) {
        EXPECT_FALSE(state.baseline.has_value());
        EXPECT_FALSE(state.newest_processed.has_value());
        EXPECT_EQ(state.pending.size(), 2U);
        EXPECT_EQ(state.pending.back().document, "2");
        return std::vector<inventory::RecordDiffs>{{first, std::nullopt, "held text", {}},
                                                   {second, first, "", {change, change}}};
      });
  ASSERT_TRUE(compared.ok()) << compared.failure().message;
  EXPECT_EQ(compared->back().change_count, 2);
  EXPECT_EQ(ports().intake.receipt(kSystem, MessageId("m2"))->value().change_count, 2);

  const auto third = store(arrival("m3", "3", kNow + std::chrono::minutes(2)))->at(0);
  const auto next = ports().comparison.compare({std::span(&kSystem, 1), 20, kNow, kNow},
                                               [&](const inventory::ComparisonState& state) {
                                                 EXPECT_EQ(state.baseline->id, second);
                                                 EXPECT_EQ(state.baseline->document, "2");
                                                 EXPECT_EQ(state.newest_processed->second, second);
                                                 EXPECT_EQ(state.last_changed.at("facts.x"), kNow);
                                                 return std::vector<inventory::RecordDiffs>{};
                                               });
  ASSERT_TRUE(next.ok() && next->empty());
  const auto left = ports().comparison.unfinished(kNow + std::chrono::hours(1), 10);
  ASSERT_EQ(left->size(), 1U);
  EXPECT_EQ(left->front().record_id, third);
  EXPECT_THAT(column("SELECT held FROM inventory_records ORDER BY id"),
              ElementsAre("held text", "NULL", "NULL"));
}

TEST_F(SqliteStoresTest, WhatWasDecidedBeforeTheLockIsDecidedAgainIfMoreHasCome) {
  const auto first = store(arrival("m1", "1", kNow))->at(0);
  std::vector<std::size_t> asked;  // how many records stood there
  const auto compare = [&](std::function<void()> meanwhile) {
    asked.clear();
    return ports().comparison.compare(
        {std::span(&kSystem, 1), 20, std::nullopt, kNow}, [&](const inventory::ComparisonState& state) {
          asked.push_back(state.pending.size());
          if (asked.size() == 1) meanwhile();
          std::vector<inventory::RecordDiffs> decided;
          for (const auto& record : state.pending)
            decided.push_back({record.id, std::nullopt, "by call " + std::to_string(asked.size()), {}});
          return decided;
        });
  };
  ASSERT_TRUE(
      compare([&] { ASSERT_TRUE(store(arrival("m2", "2", kNow + std::chrono::minutes(1))).ok()); }).ok());
  EXPECT_THAT(asked, ElementsAre(1U, 2U));
  ASSERT_TRUE(store(arrival("m3", "3", kNow + std::chrono::minutes(2))).ok());
  ASSERT_TRUE(compare([] {}).ok());
  EXPECT_THAT(asked, ElementsAre(1U));
  // Of the three that follow, each has another past under the lock.
  for (const char* change : {"UPDATE inventory_records SET held = 'other' WHERE id = 3",
                             "UPDATE inventory_records SET given_up = 1 WHERE id = 3",
                             "UPDATE inventory_records SET processed_at = NULL WHERE id = 3"}) {
    ASSERT_TRUE(store(arrival(change, change, kNow + std::chrono::minutes(3))).ok());
    ASSERT_TRUE(compare([&] { sql(change); }).ok());
    EXPECT_EQ(asked.size(), 2U) << change;
    sql("DELETE FROM inventory_records WHERE id > 3; UPDATE inventory_records SET given_up = 0, processed_at "
        "= 1");
  }
  EXPECT_THAT(column("SELECT held FROM inventory_records WHERE id = " +
                     std::to_string(static_cast<std::int64_t>(first))),
              ElementsAre("by call 2"));
}

TEST_F(SqliteStoresTest, APathThatIsTooLongTakesItsComparisonBack) {
  const auto first = store(arrival("m1", "1", kNow))->at(0);
  const auto refused = ports().comparison.compare(
      {std::span(&kSystem, 1), 20, std::nullopt, kNow}, [&](const inventory::ComparisonState&) {
        diff::Change change;
        change.field_path = std::string(501, 'x');
        return std::vector<inventory::RecordDiffs>{{first, std::nullopt, "", {change}}};
      });
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.failure().kind, FailureKind::invalid);
  EXPECT_THAT(column("SELECT processed_at FROM inventory_records"), ElementsAre("NULL"));
}

TEST_F(SqliteStoresTest, DiffsOutliveTheirRecordsAndPagesGoOnAfterAGoneOne) {
  std::vector<RecordId> ids;
  for (int i = 0; i < 5; ++i)
    ids.push_back(
        store(arrival("m" + std::to_string(i), std::to_string(i), kNow + std::chrono::minutes(i)))->at(0));
  const auto decided = ports().comparison.compare(
      {std::span(&kSystem, 1), 20, std::nullopt, kNow}, [&](const inventory::ComparisonState&) {
        diff::Change change;
        change.field_path = "facts.x";
        return std::vector<inventory::RecordDiffs>{{ids[2], ids[1], "", {change}}};
      });
  ASSERT_TRUE(decided.ok());
  EXPECT_EQ(ports().alerts.unfinished(kNow + std::chrono::minutes(1), 10)->at(0).record_id, ids[2]);

  sql("DELETE FROM inventory_records WHERE data_hash = '" + to_hex(sha256("2")) + "'");
  EXPECT_THAT(column("SELECT count(*) FROM packed_documents"), ElementsAre("4"));
  const auto diffs = ports().history.diffs(kSystem, {}, 10);
  ASSERT_TRUE(diffs.ok());
  ASSERT_EQ(diffs->size(), 1U);
  EXPECT_EQ(diffs->at(0).current_id, std::nullopt);
  EXPECT_EQ(diffs->at(0).previous_id, ids[1]);
  EXPECT_FALSE(diffs->at(0).notification_sent);
  const auto page = ports().history.records(kSystem, {.before = ids[2]}, 10);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->size(), 2U);
  EXPECT_EQ(page->at(0).id, ids[1]);
}

TEST_F(SqliteStoresTest, StatusFollowsHeartbeats) {
  ASSERT_TRUE(create_system("s2", "NETH-2").ok());
  const std::vector<liveness::Heartbeat> beats = {{kSystem, kNow}, {SystemId("gone"), kNow}};
  ASSERT_TRUE(ports().liveness.write(beats).ok());
  const std::vector<liveness::Heartbeat> older = {{kSystem, kNow - std::chrono::minutes(5)}};
  ASSERT_TRUE(ports().liveness.write(older).ok());
  EXPECT_EQ((*ports().systems.find("s1"))->system.last_heartbeat, kNow);

  auto moved = ports().liveness.apply(kNow, kNow);
  ASSERT_TRUE(moved.ok());
  EXPECT_THAT(moved->activated, ElementsAre(kSystem));
  EXPECT_THAT(moved->deactivated, IsEmpty());
  const auto later = kNow + std::chrono::minutes(1);
  EXPECT_THAT(ports().liveness.apply(later, std::nullopt)->deactivated, IsEmpty());
  EXPECT_THAT(ports().liveness.apply(later, later)->deactivated, ElementsAre(kSystem));
  EXPECT_THAT(column("SELECT status FROM systems"), UnorderedElementsAre("inactive", "unknown"));
  EXPECT_THAT(column("SELECT DISTINCT updated_at FROM systems"), ElementsAre(to_rfc3339(kNow)));

  EXPECT_EQ(*ports().liveness.last_run(), std::nullopt);
  ASSERT_TRUE(ports().liveness.note_run(kNow).ok());
  ASSERT_TRUE(ports().liveness.note_run(later).ok());
  EXPECT_EQ(*ports().liveness.last_run(), later);
}

}  // namespace
}  // namespace collect::sqlite
