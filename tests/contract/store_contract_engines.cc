// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sqlite3.h>

#include <stdexcept>

#include "backend/postgres/migrations.h"
#include "backend/postgres/postgres_stores.h"
#include "backend/sqlite/migrations.h"
#include "backend/sqlite/sqlite_stores.h"
#include "contract/store_contract.h"
#include "support/postgres_server.h"
#include "support/process.h"
#include "support/source_dir.h"

namespace collect::test {
namespace {

template <class T>
T required(Result<T> result) {
  if (!result) throw std::runtime_error(result.failure().message);
  return std::move(*result);
}

using inventory::DocumentForm;

class PostgresGround final : public StoreGround {
 public:
  PostgresGround(std::string url, DocumentForm form)
      : url_(std::move(url)), pool_({{url_}, 4, std::chrono::seconds(10)}), stores_(pool_, form) {}
  backend::Stores another(DocumentForm form) override {
    return others_.emplace_back(std::make_unique<postgres::PostgresStores>(pool_, form))->ports();
  }
  backend::Stores ports() override { return stores_.ports(); }
  std::string sql(const std::string& text) override { return PostgresServer::shared().sql(url_, text); }

 private:
  const std::string url_;
  postgres::Pool pool_;
  postgres::PostgresStores stores_;
  std::vector<std::unique_ptr<postgres::PostgresStores>> others_;
};

// Migrated once and copied for each test.
std::unique_ptr<StoreGround> fresh_postgres(const std::string& name, const std::string& tables,
                                            DocumentForm form = DocumentForm::plain) {
  auto& server = PostgresServer::shared();
  static std::map<std::string, int> made;
  const auto pattern = "pattern_" + name;
  const int number = made[name]++;
  if (number == 0) {
    const auto url = server.create_database(pattern);
    if (!tables.empty()) server.sql(url, tables);
    required(postgres::migrate({url}, at(0)));
  }
  return std::make_unique<PostgresGround>(server.create_database(fmt::format("{}_{}", name, number), pattern),
                                          form);
}

class SqliteGround final : public StoreGround {
 public:
  explicit SqliteGround(DocumentForm form)
      : database_(required(sqlite::Database::open(folder_.path() / "collect.db", {}))) {
    required(sqlite::migrate(*database_, at(0)));
    stores_ = std::make_unique<sqlite::SqliteStores>(*database_, form);
  }
  backend::Stores another(DocumentForm form) override {
    return others_.emplace_back(std::make_unique<sqlite::SqliteStores>(*database_, form))->ports();
  }
  backend::Stores ports() override { return stores_->ports(); }
  std::string sql(const std::string& text) override {
    sqlite3* handle = nullptr;
    sqlite3_open((folder_.path() / "collect.db").c_str(), &handle);
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> closer(handle, &sqlite3_close);
    sqlite3_busy_timeout(handle, 5000);
    // SQLite forgets this with each connection.
    sqlite3_exec(handle, "PRAGMA foreign_keys=ON", nullptr, nullptr, nullptr);
    std::string out;
    const auto row = [](void* target, int columns, char** values, char**) {
      auto& lines = *static_cast<std::string*>(target);
      for (int i = 0; i < columns; ++i) {
        lines += i == 0 ? "" : "|";
        lines += values[i] == nullptr ? "" : values[i];
      }
      lines += '\n';
      return 0;
    };
    if (sqlite3_exec(handle, text.c_str(), row, &out, nullptr) != SQLITE_OK) {
      throw std::runtime_error(sqlite3_errmsg(handle));
    }
    return out;
  }

 private:
  TempDir folder_;
  std::unique_ptr<sqlite::Database> database_;
  std::unique_ptr<sqlite::SqliteStores> stores_;
  std::vector<std::unique_ptr<sqlite::SqliteStores>> others_;
};

}  // namespace

std::string taken_over_tables() {
  return read_text(std::string(COLLECT_SOURCE_DIR) + "/tests/contract/store_contract_taken_over.sql");
}

std::vector<StoreEngine> store_engines() {
  return {{"Postgres", [] { return fresh_postgres("plain", ""); }},
          {"PostgresTakenOver", [] { return fresh_postgres("taken_over", taken_over_tables()); }},
          {"Sqlite", [] { return std::make_unique<SqliteGround>(DocumentForm::packed); }}};
}

std::vector<StoreEngine> inventory_engines() {
  auto engines = store_engines();
  engines.push_back({"PostgresCompact", [] { return fresh_postgres("compact", "", DocumentForm::packed); }});
  engines.push_back({"SqlitePlain", [] { return std::make_unique<SqliteGround>(DocumentForm::plain); }});
  return engines;
}

}  // namespace collect::test
