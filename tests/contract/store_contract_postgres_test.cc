// SPDX-License-Identifier: Apache-2.0
// What only PostgreSQL has: databases that others made, sessions that end, waiting that has a limit.
#include <fmt/format.h>

#include <thread>

#include "backend/postgres/migrations.h"
#include "backend/postgres/postgres_stores.h"
#include "base/hash.h"
#include "contract/store_contract.h"
#include "support/postgres_server.h"
#include "support/process.h"

namespace collect::test {
namespace {

using inventory::Arrival;
using inventory::IntakePlan;
using inventory::IntakeState;
using postgres::Fault;
using postgres::Params;
using postgres::Pool;
using postgres::Transaction;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

PostgresServer& server() {
  return PostgresServer::shared();
}

postgres::PoolOptions options(const std::string& url,
                              std::chrono::milliseconds statement_timeout = std::chrono::seconds(10)) {
  return {{url, std::chrono::seconds(2), statement_timeout}, 3, std::chrono::milliseconds(300)};
}

std::string migrated_database() {
  auto url = server().new_database();
  const auto done = postgres::migrate({url}, at(0));
  if (!done) throw std::runtime_error(done.failure().message);
  return url;
}

// Asks the server a trifle.
Result<int> ask(Pool& pool) {
  return pool.read([](postgres::Connection& connection, const postgres::Schema&) {
    return static_cast<int>(connection.run("SELECT 1").int64(0, 0));
  });
}

Result<void> run(Pool& pool, const std::string& sql) {
  return pool.write([&](Transaction& transaction, const postgres::Schema&) { transaction.add(sql); });
}

TEST(PostgresMigrations, RunOnceAndAreComplete) {
  const auto url = server().new_database();
  EXPECT_EQ(kind_of(postgres::check_migrated({url})), "invalid");
  const auto first = postgres::migrate({url}, at(0));
  ASSERT_TRUE(succeeded(first));
  EXPECT_THAT(first->applied, SizeIs(postgres::migrations().size()));
  EXPECT_TRUE(succeeded(postgres::check_migrated({url})));
  const auto before = server().sql(url, "select * from collect_migrations order by name");
  const auto second = postgres::migrate({url}, at(9));
  ASSERT_TRUE(succeeded(second));
  EXPECT_THAT(second->applied, IsEmpty());
  EXPECT_EQ(second->present, first->applied);
  EXPECT_EQ(server().sql(url, "select * from collect_migrations order by name"), before);
  EXPECT_EQ(
      server().sql(url,
                   "select attcompression from pg_attribute where attrelid = 'inventory_records'::regclass "
                   "and attname = 'data'"),
      "l\n");
}

TEST(PostgresMigrations, ANewerDatabaseIsLeftAlone) {
  const auto url = migrated_database();
  server().sql(url, "insert into collect_migrations values ('9999_from_the_future', now())");
  const auto before = server().sql(url, "select * from collect_migrations order by name");
  for (const auto& failure :
       {postgres::migrate({url}, at(1)).failure(), postgres::check_migrated({url}).failure(),
        postgres::missing_migrations({url}).failure()}) {
    EXPECT_EQ(to_string(failure.kind), "conflict");
    EXPECT_THAT(failure.message, HasSubstr("9999_from_the_future"));
  }
  EXPECT_EQ(server().sql(url, "select * from collect_migrations order by name"), before);
}

TEST(PostgresMigrations, EachFileMayRunAgain) {
  const auto url = migrated_database();
  server().sql(url, "delete from collect_migrations");
  EXPECT_TRUE(succeeded(postgres::migrate({url}, at(1))));
}

TEST(PostgresMigrations, TwoProcessesAtATime) {
  const auto url = server().new_database();
  std::optional<Result<postgres::MigrationReport>> other;
  std::thread thread([&] { other = postgres::migrate({url}, at(0)); });
  const auto mine = postgres::migrate({url}, at(0));
  thread.join();
  ASSERT_TRUE(succeeded(mine));
  ASSERT_TRUE(succeeded(*other));
  EXPECT_EQ(mine->applied.size() + (*other)->applied.size(), postgres::migrations().size());
}

TEST(PostgresMigrations, TakeOverADatabaseWithItsRows) {
  const auto url = server().new_database();
  server().sql(url, taken_over_tables());
  const auto a = id_of("a").text();
  server().sql(
      url,
      fmt::format(
          "insert into systems (id, name, organization_id, system_key, custom_data, created_by) "
          "values ('{0}', 'Office', 'org-1', 'NETH-a', '{{}}', '{{}}');"
          "insert into inventory_records (system_id, timestamp, data, data_hash, data_size, processed_at) "
          "values ('{0}', '2026-01-01 10:00', '{{\"n\":1}}', 'h1', 7, now()), "
          "('{0}', '2026-01-02 10:00', '{{\"n\":2}}', 'h2', 7, null);"
          "insert into inventory_diffs (system_id, previous_id, current_id, diff_type, category, severity, "
          "field_path) values ('{0}', 1, 2, 'update', 'os', 'low', 'n');"
          "insert into inventory_alerts (system_id, diff_id, alert_type, message, severity, created_at) "
          "values "
          "('{0}', 1, 'change', 'first', 'warning', '2026-01-02 10:01Z'), "
          "('{0}', 1, 'change', 'again', 'high', '2026-01-02 10:02Z');"
          "insert into system_heartbeats (system_id, last_heartbeat) values ('{0}', '2026-01-02 11:00Z');",
          a));
  ASSERT_TRUE(succeeded(postgres::migrate({url}, at(0))));

  Pool pool(options(url));
  postgres::PostgresStores stores(pool);
  const auto ports = stores.ports();
  const auto login = ports.systems.find("NETH-a");
  ASSERT_TRUE(succeeded(login));
  EXPECT_EQ((*login)->system.name, "Office");
  EXPECT_EQ(to_rfc3339(*(*login)->system.last_heartbeat), "2026-01-02T11:00:00.000000Z");
  EXPECT_FALSE((*login)->secret.has_value());
  const auto records = ports.history.records(id_of("a"), {}, 10);
  ASSERT_THAT(*records, SizeIs(2));
  EXPECT_EQ(to_rfc3339(records->front().timestamp), "2026-01-02T10:00:00.000000Z");
  EXPECT_THAT(*ports.history.diffs(id_of("a"), {}, 10), SizeIs(1));
  EXPECT_THAT(*ports.alerts.unfinished(at(1000000), 10), IsEmpty());  // no news
  const auto alerts = ports.alerts.list({});
  ASSERT_THAT(*alerts, SizeIs(2));
  EXPECT_EQ(alerts->front().alert.message, "again");
  EXPECT_EQ(alerts->front().alert.rule, "");
  EXPECT_EQ(alerts->front().alert.field_path, "n");
  EXPECT_EQ(alerts->front().alert.updated_at, alerts->front().alert.created_at);
  EXPECT_EQ(alerts->back().alert.severity, diff::Severity::low);  // a word that we do not know
  const auto pending = ports.comparison.unfinished(at(1000000000), 10);
  ASSERT_THAT(*pending, SizeIs(1));
  EXPECT_EQ(pending->front().record_id, RecordId{2});

  // Back to the first state: its hash stands there already.
  Arrival back{MessageId("m1"), id_of("a"), at(0), std::nullopt, R"({"n":1})", "h1"};
  const auto stored = ports.intake.take_in({&back, 1}, at(1), [&](const IntakeState& state) {
    EXPECT_EQ(state.systems.at(id_of("a"))->hash, "h2");
    EXPECT_EQ(state.systems.at(id_of("a"))->derived_hash, "");
    IntakePlan plan;
    plan.records.push_back({0, "", false});
    return plan;
  });
  ASSERT_TRUE(succeeded(stored));
  EXPECT_EQ(server().sql(url,
                         "select count(*) from pg_indexes where tablename = 'inventory_records' "
                         "and indexdef like '%data_hash%'"),
            "1\n");
  server().sql(url, "delete from inventory_records");
  EXPECT_THAT(*ports.history.diffs(id_of("a"), {}, 10), SizeIs(1));
}

TEST(PostgresMigrations, AFailingOneChangesNothingAndSaysWhich) {
  const auto url = server().new_database();
  server().sql(url,
               "create table systems (id text primary key, system_key text); "
               "insert into systems values ('a', 'k'), ('b', 'k')");
  const auto done = postgres::migrate({url}, at(0));
  ASSERT_FALSE(done.ok());
  EXPECT_THAT(done.failure().message, HasSubstr("migration 0003_rules"));
  EXPECT_EQ(server().sql(url, "select count(*) from collect_migrations where name >= '0003'"), "0\n");
  EXPECT_EQ(server().sql(url, "select count(*) from systems"), "2\n");
  server().sql(url, "delete from systems where id = 'b'");
  EXPECT_TRUE(succeeded(postgres::migrate({url}, at(0))));
}

TEST(PostgresPool, IdleSessionsThatEndedAreReplaced) {
  Pool pool(options(migrated_database()));
  ASSERT_TRUE(succeeded(ask(pool)));
  server().terminate_backends();
  EXPECT_TRUE(eventually([&] { return ask(pool).ok(); }));
  EXPECT_TRUE(succeeded(ask(pool)));
}

TEST(PostgresPool, ASessionThatEndsInATransactionIsUnavailableThenFine) {
  Pool pool(options(migrated_database()));
  postgres::PostgresStores stores(pool);
  const auto broken = stores.ports().intake.take_in({}, at(0), [](const IntakeState&) {
    server().terminate_backends();
    IntakePlan plan;
    plan.processed.push_back(
        {MessageId("m"), SystemId("a"), inventory::Outcome::dead, std::nullopt, "r", at(0)});
    return plan;
  });
  EXPECT_EQ(kind_of(broken), "unavailable");
  EXPECT_EQ(*stores.ports().intake.receipt(SystemId("a"), MessageId("m")), std::nullopt);
  EXPECT_TRUE(succeeded(ask(pool)));
}

TEST(PostgresPool, AServerThatStopsAndComesBack) {
  PostgresServer own;
  const auto url = own.new_database();
  ASSERT_TRUE(succeeded(postgres::migrate({url}, at(0))));
  Pool pool(options(url, std::chrono::milliseconds(300)));
  ASSERT_TRUE(succeeded(ask(pool)));

  own.pause();  // connected, but silent
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(kind_of(ask(pool)), "unavailable");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(4));
  own.resume();
  EXPECT_TRUE(succeeded(ask(pool)));

  own.stop();
  EXPECT_EQ(kind_of(ask(pool)), "unavailable");
  own.start();
  EXPECT_TRUE(succeeded(ask(pool)));
}

TEST(PostgresPool, NoServerAndNoAddress) {
  Pool nobody(options(fmt::format("postgresql://collect:secret@127.0.0.1:{}/x", free_port())));
  const auto refused = ask(nobody);
  EXPECT_EQ(kind_of(refused), "unavailable");
  EXPECT_THAT(refused.failure().message, Not(HasSubstr("secret")));
  for (const auto* url :
       {"postgresql://collect:sec@ret/word@127.0.0.1/x", "postgresql://collect:sec/ret@127.0.0.1/x",
        "postgresql://collect:sec@ret@127.0.0.1/x?sslmode=disable", "secret", "password=sec ret"}) {
    Pool nonsense(options(url));
    const auto invalid = ask(nonsense);
    EXPECT_EQ(kind_of(invalid), "invalid") << url;
    EXPECT_THAT(invalid.failure().message, Not(HasSubstr("ret"))) << url;
  }
}

TEST(PostgresPool, ItsSessionsAreBounded) {
  Pool pool(options(migrated_database()));
  const auto inner = pool.read([&](postgres::Connection&, const postgres::Schema&) {
    return pool.read([&](postgres::Connection&, const postgres::Schema&) {
      return pool.read([&](postgres::Connection&, const postgres::Schema&) { return ask(pool); });
    });
  });
  EXPECT_EQ(kind_of(inner), "unavailable");
  EXPECT_THAT(inner.failure().message, HasSubstr("DATABASE_MAX_CONNS"));
  EXPECT_TRUE(succeeded(ask(pool)));
}

TEST(PostgresPool, DeadlocksTimeoutsAndLocksAreUnavailable) {
  const auto url = migrated_database();
  Pool pool(options(url, std::chrono::seconds(2)));
  EXPECT_EQ(kind_of(run(pool, "SELECT pg_sleep(60)")), "unavailable");
  EXPECT_EQ(kind_of(run(pool, "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'deadlock_detected'; END $$")),
            "unavailable");
  EXPECT_EQ(kind_of(run(pool, "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'serialization_failure'; END $$")),
            "unavailable");
  EXPECT_EQ(kind_of(run(pool, "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$")),
            "unavailable");
  const auto waiting = pool.write([&](Transaction& transaction, const postgres::Schema&) -> Result<void> {
    transaction.run("LOCK TABLE systems IN ACCESS EXCLUSIVE MODE");
    return run(pool, "LOCK TABLE systems IN ACCESS EXCLUSIVE MODE NOWAIT");
  });
  EXPECT_EQ(kind_of(waiting), "unavailable");
  EXPECT_TRUE(succeeded(ask(pool)));
}

TEST(PostgresPool, RealDeadlocksAreUnavailableForOne) {
  const auto url = migrated_database();
  Pool pool(options(url));
  ASSERT_TRUE(succeeded(run(pool, "CREATE TABLE t (id int PRIMARY KEY)")));
  ASSERT_TRUE(succeeded(run(pool, "INSERT INTO t VALUES (1), (2)")));
  std::atomic<int> holding = 0;
  const auto cross = [&](int first, int second) {
    return pool.write([&](Transaction& transaction, const postgres::Schema&) {
      transaction.run("SELECT FROM t WHERE id = $1 FOR UPDATE", Params::of(first));
      ++holding;
      while (holding < 2) std::this_thread::yield();
      transaction.run("SELECT FROM t WHERE id = $1 FOR UPDATE", Params::of(second));
    });
  };
  std::optional<Result<void>> other;
  std::thread thread([&] { other = cross(2, 1); });
  const auto mine = cross(1, 2);
  thread.join();
  EXPECT_NE(mine.ok(), other->ok());
  EXPECT_EQ(kind_of(mine.ok() ? *other : mine), "unavailable");
}

TEST(PostgresPool, BadValuesAreInvalidAndAreNotTold) {
  Pool pool(options(migrated_database()));
  for (const auto* sql : {"SELECT 'se' || 'cret'::inet", "SELECT ('{\"se\":\"cret\"')::jsonb",
                          "SELECT 'secret'::int", "SELECT repeat('secret', 9)::varchar(3) || 1/0"}) {
    const auto result = run(pool, sql);
    EXPECT_EQ(kind_of(result), "invalid") << sql;
    EXPECT_THAT(result.failure().message, Not(HasSubstr("cret"))) << sql;
  }
  EXPECT_EQ(kind_of(run(pool, "INSERT INTO collect_state VALUES ('k', NULL, NULL)")), "invalid");
  EXPECT_EQ(kind_of(run(pool, "SELECT no_such_thing")), "internal");
  EXPECT_TRUE(succeeded(ask(pool)));
}

TEST(PostgresPool, ATransactionThatFailedInsideIsNotCommitted) {
  Pool pool(options(migrated_database()));
  const auto result = pool.write([&](Transaction& transaction, const postgres::Schema&) {
    transaction.run("INSERT INTO collect_state VALUES ('k', 'v', now())");
    try {
      transaction.run("SELECT 1/0");
    } catch (const Fault&) {
      // As if nobody had looked: COMMIT now answers ROLLBACK, without an error.
    }
  });
  EXPECT_EQ(kind_of(result), "unavailable");
  EXPECT_THAT(result.failure().message, HasSubstr("ROLLBACK"));
}

// As a process finds it that was stopped while another took over.
TEST(PostgresPool, WhatARunnerWritesAfterItsTermIsNotWritten) {
  const auto url = migrated_database();
  Pool pool(options(url));
  postgres::TermStore terms(pool);
  const auto mine = terms.begin({}, "a", at(0));
  ASSERT_TRUE(succeeded(mine));
  std::optional<std::int64_t> term = (*mine)->number;
  Pool fenced(pool, [&] { return term; });
  const auto note = [&](const std::string& key) {
    return run(fenced, "INSERT INTO collect_state VALUES ('" + key + "', '', now())");
  };
  ASSERT_TRUE(succeeded(note("in its term")));

  const auto late = fenced.write([&](Transaction& transaction, const postgres::Schema&) {
    transaction.run("INSERT INTO collect_state VALUES ('begun in its term', '', now())");
    ASSERT_TRUE(succeeded(terms.begin(**mine, "b", at(1))));
  });
  EXPECT_EQ(kind_of(late), "conflict");
  EXPECT_EQ(kind_of(note("after its term")), "conflict");
  term.reset();
  EXPECT_EQ(kind_of(note("without a term")), "conflict");
  term = 2;
  EXPECT_TRUE(succeeded(note("in the next term")));
  EXPECT_TRUE(succeeded(run(pool, "INSERT INTO collect_state VALUES ('by anybody', '', now())")));
  EXPECT_EQ(server().sql(url, "SELECT key FROM collect_state ORDER BY key"),
            "by anybody\nin its term\nin the next term\n");
}

TEST(PostgresPool, ATableThatChangesUnderAPreparedStatement) {
  Pool pool(options(migrated_database()));
  const auto read = [&] {
    return pool.read([](postgres::Connection& connection, const postgres::Schema&) {
      return connection.run("SELECT * FROM collect_state").count();
    });
  };
  ASSERT_TRUE(succeeded(read()));
  ASSERT_TRUE(succeeded(run(pool, "ALTER TABLE collect_state ADD COLUMN more text")));
  const auto once = read();
  EXPECT_TRUE(once.ok() || once.failure().kind == FailureKind::unavailable);
  EXPECT_TRUE(succeeded(read()));
}

TEST(PostgresRows, TimesOfEveryShape) {
  EXPECT_EQ(to_rfc3339(postgres::parse_timestamp("2026-01-02 03:04:05.678901+00")),
            "2026-01-02T03:04:05.678901Z");
  EXPECT_EQ(to_rfc3339(postgres::parse_timestamp("2026-01-02 03:04:05")), "2026-01-02T03:04:05.000000Z");
  EXPECT_EQ(to_rfc3339(postgres::parse_timestamp("2026-01-02 03:04:05.5+05:30")),
            "2026-01-01T21:34:05.500000Z");
  EXPECT_EQ(to_rfc3339(postgres::parse_timestamp("infinity")), "9999-12-31T00:00:00.000000Z");
  EXPECT_EQ(to_rfc3339(postgres::parse_timestamp("-infinity")), "0001-01-01T00:00:00.000000Z");
  EXPECT_EQ(to_rfc3339(postgres::parse_timestamp("0044-03-15 00:00:00+00 BC")),
            "0001-01-01T00:00:00.000000Z");
}

TEST(PostgresParams, ListsOfEveryKind) {
  Pool pool(options(migrated_database()));
  const std::vector<int> three = {1, 2, 3};
  const auto answer = pool.read([&](postgres::Connection& connection, const postgres::Schema&) {
    Params params;
    params.array(three, [](int i) { return i == 2 ? std::nullopt : std::optional<std::int64_t>(-i); })
        .array(three, [](int i) { return i > 1; })
        .array(three, [](int i) { return at(i); })
        .array(three, [](int i) { return std::string(static_cast<std::size_t>(i), '"') + "\\,{}"; })
        .array(std::vector<int>(), [](int) { return std::string_view(); });
    const auto rows = connection.run(
        "SELECT $1::bigint[]::text, $2::boolean[]::text, ($3::timestamptz[])[2], ($4::text[])[3], "
        "cardinality($5::text[])",
        std::move(params));
    EXPECT_EQ(rows.time(0, 2), at(2));
    return std::vector{rows.text(0, 0), rows.text(0, 1), rows.text(0, 3), rows.text(0, 4)};
  });
  ASSERT_TRUE(succeeded(answer));
  EXPECT_THAT(*answer, ElementsAre("{-1,NULL,-3}", "{f,t,t}", "\"\"\"\\,{}", "0"));
}

}  // namespace
}  // namespace collect::test
