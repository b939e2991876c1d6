// SPDX-License-Identifier: Apache-2.0
#include "backend/examination.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sqlite3.h>

#include <filesystem>
#include <iterator>

#include "backend/embedded_engine.h"
#include "backend/postgres/migrations.h"
#include "backend/server_engine.h"
#include "backend/server_findings.h"
#include "backend/sqlite/database.h"

namespace collect::backend {
namespace {

// Reading more than this takes minutes, in which the log beside the file grows.
constexpr std::uintmax_t kReadThrough = std::uintmax_t{2} << 30U;

void add(std::vector<Finding>& all, std::vector<Finding> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

// Asking takes its time; the answer is from its middle.
Duration ahead(Time server, Time asked, Time answered) {
  return server - (asked + (answered - asked) / 2);
}

std::vector<Finding> examine_postgres(const Settings& settings, const Clock& clock) {
  const postgres::SessionOptions session{.url = settings.database_url};
  const Time asked = clock.now();
  const auto facts = postgres::server_facts(session);
  const Time answered = clock.now();
  if (!facts) {
    return {{"database", State::failure, facts.failure().message,
             "see that DATABASE_URL is right, that the server runs and lets this machine in; meanwhile "
             "what is queued waits"}};
  }
  auto out = findings_of(*facts, settings.database_max_conns);
  const auto missing = postgres::missing_migrations(session);
  if (!missing) {
    out.push_back({"tables", State::failure, missing.failure().message, "see the database's log"});
  } else if (!missing->empty()) {
    out.push_back({"tables", State::failure,
                   fmt::format("the database lacks the migrations {}", fmt::join(*missing, ", ")),
                   "run `collect migrate`"});
  } else {
    out.push_back({"tables", State::ok, "up to date", ""});
  }
  out.push_back(clock_finding("PostgreSQL", ahead(facts->now, asked, answered)));
  return out;
}

std::vector<Finding> examine_redis(const Settings& settings, const Clock& clock) {
  const auto away = [](const Failure& failure) {
    return std::vector<Finding>{
        {"Redis", State::failure, failure.message,
         "see that REDIS_URL and REDIS_PASSWORD are right, and that the server runs and lets this machine "
         "in; meanwhile inventories are answered with 503"}};
  };
  const auto address = redis_address(settings);
  if (!address) return away(address.failure());
  const auto connection = redis::Connection::open(*address);
  if (!connection) return away(connection.failure());
  const Time asked = clock.now();
  const auto facts = redis::server_facts(**connection);
  const Time answered = clock.now();
  if (!facts) return away(facts.failure());
  auto out = findings_of(*facts);
  out.push_back(clock_finding("Redis", ahead(facts->now, asked, answered)));
  return out;
}

// Whether SQLite finds its file sound; its own words otherwise.
Result<std::string> read_through(sqlite::Database& database) {
  return database.read([](sqlite::Snapshot& snapshot) {
    auto rows = snapshot.query("PRAGMA quick_check(1)");
    return rows.next() ? rows.text(0) : std::string("no answer");
  });
}

std::vector<Finding> examine_embedded(const Settings& settings) {
  const std::filesystem::path file = embedded_database(settings);
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    return {
        {"database", State::ok, fmt::format("none yet: {} is made at the first start", file.string()), ""}};
  }
  const auto size = std::filesystem::file_size(file, error);
  auto database = sqlite::Database::open(file, {});
  if (!database) {
    return {{"database", State::failure, database.failure().message,
             fmt::format("see that this user may read and write {}", file.parent_path().string())}};
  }
  const std::string name =
      fmt::format("SQLite {}, {} with {} MiB", sqlite3_libversion(), file.string(), size / (1024 * 1024));
  if (size > kReadThrough) return {{"database", State::ok, name + ", not read through: too large", ""}};
  const auto sound = read_through(**database);
  if (sound && *sound == "ok") return {{"database", State::ok, name + ", sound", ""}};
  return {{"database", State::failure, fmt::format("{}: {}", name, sound ? *sound : sound.failure().message),
           "stop Collect, keep a copy of the folder, and put the last backup of it in its place"}};
}

}  // namespace

std::vector<Finding> examine_engine(const Settings& settings, const Clock& clock) {
  if (settings.embedded()) return examine_embedded(settings);
  auto out = examine_postgres(settings, clock);
  add(out, examine_redis(settings, clock));
  return out;
}

}  // namespace collect::backend
