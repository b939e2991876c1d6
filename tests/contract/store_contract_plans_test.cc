// SPDX-License-Identifier: Apache-2.0
// How the engines find what operators page through and retention looks at: by index, never by reading a big
// table or a whole index of it. The plans are those of the statements that the stores really ran.
#include <fmt/format.h>
#include <sqlite3.h>

#include <mutex>
#include <regex>
#include <set>
#include <sstream>

#include "backend/postgres/migrations.h"
#include "backend/postgres/postgres_stores.h"
#include "backend/sqlite/migrations.h"
#include "backend/sqlite/sqlite_stores.h"
#include "contract/store_contract.h"
#include "support/postgres_server.h"
#include "support/process.h"

namespace collect::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

template <class T>
T required(Result<T> result) {
  if (!result) throw std::runtime_error(result.failure().message);
  return std::move(*result);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// A database with a history whose statements are watched.
class WatchedGround {
 public:
  virtual ~WatchedGround() = default;
  virtual backend::Stores ports() = 0;
  // The plans of all statements since the last call, as the engine writes them.
  virtual std::string plans() = 0;
  // Those lines of plans that read all of a big table, or all of an index of one.
  virtual std::vector<std::string> whole_readings(const std::string& plans) = 0;
  virtual void drop_index(const std::string& name) = 0;
};

constexpr int kRecords = 2'000;
constexpr int kDiffsOfRecord = 20;

// Two systems; every record is an hour later than the one before it. {0} and {1}: their ids.
constexpr std::string_view kSystems =
    "INSERT INTO systems (id, name, organization_id, system_key, custom_data, created_by, created_at, "
    "updated_at) "
    "VALUES ('{0}', 'a', 'o', 'NETH-a', '{{}}', '{{}}', '2026-01-01T00:00:00.000000Z', "
    "'2026-01-01T00:00:00.000000Z'), ('{1}', 'b', 'o', 'NETH-b', '{{}}', '{{}}', "
    "'2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z');";

class PostgresWatched final : public WatchedGround {
 public:
  PostgresWatched()
      : url_(migrated()),
        pool_({{url_}, 2, std::chrono::seconds(10)}),
        stores_(pool_, inventory::DocumentForm::plain) {}
  backend::Stores ports() override { return stores_.ports(); }
  std::string plans() override {
    // The log is written by another process: the end of what it has to say is known by a mark.
    static int marks = 0;
    const auto mark = fmt::format("mark {}", ++marks);
    server_.sql(url_, "SELECT '" + mark + "'");
    std::string log;
    eventually([&] { return (log = server_.log()).find(mark, read_) != std::string::npos; });
    const std::string news = log.substr(read_, log.find(mark, read_) - read_);
    read_ = log.size();
    return news;
  }
  std::vector<std::string> whole_readings(const std::string& plans) override {
    static const std::regex whole(R"(Seq Scan on (inventory_\w+|systems))");
    static const std::regex index_scan(R"(Index (Only )?Scan.* on (inventory_diffs|inventory_records))");
    std::vector<std::string> found;
    const auto lines = lines_of(plans);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const bool bounded = i + 1 < lines.size() && lines[i + 1].find("Index Cond:") != std::string::npos;
      if (std::regex_search(lines[i], whole) || (std::regex_search(lines[i], index_scan) && !bounded)) {
        found.push_back(lines[i]);
      }
    }
    return found;
  }
  void drop_index(const std::string& name) override { server_.sql(url_, "DROP INDEX collect_" + name); }

 private:
  std::string migrated() {
    const auto url = server_.new_database();
    required(postgres::migrate({url}, at(0)));
    const auto a = id_of("a").text();
    const auto b = id_of("b").text();
    server_.sql(url, fmt::format(fmt::runtime(kSystems), a, b));
    server_.sql(
        url,
        fmt::format(
            "INSERT INTO inventory_records (system_id, timestamp, data, data_hash, data_size, processed_at, "
            "has_changes, change_count, created_at, updated_at) SELECT CASE n % 2 WHEN 0 THEN '{}' ELSE '{}' "
            "END, t, '{{}}', n, 2, t, true, {}, t, t FROM (SELECT n, '2026-01-01Z'::timestamptz + "
            "make_interval(hours => n) AS t FROM generate_series(1, {}) n) AS r;"
            "INSERT INTO inventory_diffs (system_id, previous_id, current_id, diff_type, category, severity, "
            "field_path, notification_sent, created_at) SELECT system_id, id - 2, id, 'update', 'os', 'low', "
            "'facts.n' || i, true, created_at FROM inventory_records, generate_series(1, {}) i WHERE id > 2;"
            "ANALYZE;"
            // For the sessions that come now: the plan of each statement goes to the server's log.
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET session_preload_libraries = auto_explain', "
            "current_database()); EXECUTE format('ALTER DATABASE %I SET auto_explain.log_min_duration = 0', "
            "current_database()); END $$",
            a, b, kDiffsOfRecord, kRecords, kDiffsOfRecord));
    return url;
  }

  PostgresServer& server_ = PostgresServer::shared();
  const std::string url_;
  postgres::Pool pool_;
  postgres::PostgresStores stores_;
  std::size_t read_ = 0;
};

// The texts of all statements that SQLite began, of all connections made since watch() was called first.
class SqliteTexts {
 public:
  static SqliteTexts& watch() {
    static SqliteTexts texts;
    return texts;
  }
  std::set<std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(texts_, {});
  }

 private:
  SqliteTexts() { sqlite3_auto_extension(reinterpret_cast<void (*)()>(&watch_connection)); }
  static int watch_connection(sqlite3* handle, char**, const void*) {
    return sqlite3_trace_v2(
        handle, SQLITE_TRACE_STMT,
        [](unsigned, void*, void* statement, void*) {
          if (const char* text = sqlite3_sql(static_cast<sqlite3_stmt*>(statement)); text != nullptr) {
            const std::lock_guard lock(watch().mutex_);
            watch().texts_.insert(text);
          }
          return 0;
        },
        nullptr);
  }
  std::mutex mutex_;
  std::set<std::string> texts_;  // guarded by mutex_
};

class SqliteWatched final : public WatchedGround {
 public:
  SqliteWatched() : texts_(SqliteTexts::watch()), database_(opened()) {
    required(sqlite::migrate(*database_, at(0)));
    stores_ = std::make_unique<sqlite::SqliteStores>(*database_, inventory::DocumentForm::packed);
    fill();
    texts_.take();
  }
  backend::Stores ports() override { return stores_->ports(); }
  std::string plans() override {
    std::string out;
    for (const auto& text : texts_.take()) {
      if (!text.starts_with("SELECT") && !text.starts_with("WITH")) continue;
      const auto explained = database_->read([&](sqlite::Snapshot& snapshot) {
        std::string lines = text + "\n";
        auto row = snapshot.query("EXPLAIN QUERY PLAN " + text);
        while (row.next()) lines += row.text(3) + "\n";
        return lines;
      });
      out += required(explained);
    }
    texts_.take();
    return out;
  }
  std::vector<std::string> whole_readings(const std::string& plans) override {
    // What a statement names itself: a page of rows, or a walk.
    static const std::set<std::string> own = {"CONSTANT ROW", "page", "found", "newest"};
    std::vector<std::string> found;
    for (const auto& line : lines_of(plans)) {
      if (line.starts_with("SCAN ") && !own.contains(line.substr(5)) &&
          line.find("(subquery") == std::string::npos) {
        found.push_back(line);
      }
    }
    return found;
  }
  void drop_index(const std::string& name) override {
    required(database_->write([&](sqlite::Transaction& transaction) {
      transaction.script("DROP INDEX inventory_" + name);
      return 0;
    }));
  }

 private:
  std::unique_ptr<sqlite::Database> opened() {
    return required(sqlite::Database::open(folder_.path() / "collect.db", {}));
  }
  void fill() {
    const auto a = id_of("a").text();
    const auto b = id_of("b").text();
    const auto script =
        fmt::format(fmt::runtime(std::string(kSystems)), a, b) +
        fmt::format(
            "INSERT INTO inventory_records (system_id, timestamp, data_hash, data_size, processed_at, "
            "has_changes, "
            "change_count, created_at, updated_at) WITH RECURSIVE r(n, t) AS (SELECT 1, NULL UNION ALL "
            "SELECT n + 1, "
            "strftime('%Y-%m-%dT%H:%M:%S.000000Z', '2026-01-01', (n + 1) || ' hours') FROM r WHERE n < {2}) "
            "SELECT CASE n % 2 WHEN 0 THEN '{0}' ELSE '{1}' END, t, n, 2, t, 1, {3}, t, t FROM r WHERE n > 1;"
            "INSERT INTO inventory_diffs (system_id, previous_id, current_id, diff_type, category, severity, "
            "field_path, notification_sent, created_at) WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n "
            "+ 1 "
            "FROM i WHERE n < {3}) SELECT system_id, id - 2, id, 'update', 'os', 'low', 'facts.n' || n, 1, "
            "created_at FROM inventory_records, i WHERE id > 2",
            a, b, kRecords, kDiffsOfRecord);
    required(database_->write([&](sqlite::Transaction& transaction) {
      transaction.script(script);
      return 0;
    }));
  }

  TempDir folder_;
  SqliteTexts& texts_;
  std::unique_ptr<sqlite::Database> database_;
  std::unique_ptr<sqlite::SqliteStores> stores_;
};

class PlansContract : public testing::TestWithParam<std::string> {
 protected:
  PlansContract()
      : ground_(GetParam() == "Postgres" ? std::unique_ptr<WatchedGround>(std::make_unique<PostgresWatched>())
                                         : std::make_unique<SqliteWatched>()) {
    ground_->plans();
  }
  // What was asked since the last call was found by index, and in that table at all.
  void expect_by_index(std::string_view question, std::string_view table) {
    const auto plans = ground_->plans();
    EXPECT_THAT(plans, HasSubstr(table)) << question << ": no plan was seen";
    EXPECT_THAT(ground_->whole_readings(plans), IsEmpty()) << question << "\n" << plans;
  }
  const std::unique_ptr<WatchedGround> ground_;
};
INSTANTIATE_TEST_SUITE_P(Engines, PlansContract, testing::Values("Postgres", "Sqlite"),
                         [](const auto& tested) { return tested.param; });

std::vector<inventory::DiffFilter> every_filter() {
  std::vector<inventory::DiffFilter> filters(11);
  filters[1].severity = "low";
  filters[2].category = "os";
  filters[3].diff_type = "update";
  filters[4].current_id = RecordId{100};
  filters[5].search = "n1";
  filters[6].from = at(0);
  filters[7].to = at(86'400 * 300);
  filters[8].before = DiffId{1'000};
  filters[9].skip = 500;
  filters[10] = {.severity = "low",
                 .category = "os",
                 .diff_type = "update",
                 .search = "n1",
                 .from = at(-86'400 * 3000),
                 .to = at(86'400 * 3000),
                 .before = DiffId{1'000}};
  return filters;
}

TEST_P(PlansContract, DiffsAreFoundAndCountedByIndex) {
  auto ports = ground_->ports();
  int number = 0;
  for (const auto& filter : every_filter()) {
    required(ports.history.diffs(id_of("a"), filter, 50));
    expect_by_index(fmt::format("diffs, filter {}", number), "inventory_diffs");
    required(ports.tallies.count_diffs(id_of("a"), filter));
    expect_by_index(fmt::format("count_diffs, filter {}", number++), "inventory_diffs");
  }
}

TEST_P(PlansContract, DaysAndTalliesAreFoundByIndex) {
  auto ports = ground_->ports();
  EXPECT_FALSE(required(ports.tallies.days(id_of("a"), {}, {}, 10)).empty());
  expect_by_index("days", "inventory_diffs");
  required(ports.tallies.days(id_of("a"), {at(-86'400), at(86'400)}, {.skip = 5}, 10));
  expect_by_index("days of a range, skipped", "inventory_diffs");
  required(ports.tallies.count_days(id_of("a"), {}));
  expect_by_index("count_days", "inventory_diffs");
  required(ports.tallies.tally(id_of("a"), {}));
  expect_by_index("tally", "inventory_diffs");
}

TEST_P(PlansContract, RecordsAreFoundByIndex) {
  auto ports = ground_->ports();
  required(ports.history.latest(id_of("a")));
  expect_by_index("latest", "inventory_records");
  required(ports.history.record(id_of("a"), RecordId{100}));
  expect_by_index("record", "inventory_records");
  required(ports.history.records(id_of("a"), {.before = RecordId{100}, .skip = 3}, 10));
  expect_by_index("records, by cursor", "inventory_records");
  required(ports.history.records(id_of("a"), {.before = RecordId{987'654'321}}, 10));
  expect_by_index("records, behind one that is gone", "inventory_records");
  required(ports.tallies.count_records(id_of("a")));
  expect_by_index("count_records", "inventory_records");
}

TEST_P(PlansContract, RetentionReadsASystemByIndex) {
  auto ports = ground_->ports();
  required(ports.retention.records(id_of("a")));
  expect_by_index("records of a system", "inventory_records");
}

// Or the tests above would tell nothing.
TEST_P(PlansContract, AnIndexThatIsMissingShows) {
  ground_->drop_index("diffs_timeline");
  required(ground_->ports().history.diffs(id_of("a"), {}, 50));
  EXPECT_THAT(ground_->whole_readings(ground_->plans()), Not(IsEmpty()));
}

}  // namespace
}  // namespace collect::test
