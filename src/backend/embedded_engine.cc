// SPDX-License-Identifier: Apache-2.0
#include "backend/embedded_engine.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <optional>

#include "backend/directory_lock.h"
#include "backend/sqlite/database.h"
#include "backend/sqlite/sqlite_queue.h"
#include "backend/sqlite/sqlite_stores.h"
#include "base/ticker.h"
#include "systems/revocation.h"

namespace collect::backend {
namespace {

constexpr std::chrono::milliseconds kRevocationPoll{500};

class RevocationPoll final : public Running {
 public:
  RevocationPoll(systems::SystemStore& systems, std::function<void()> changed)
      : watch_([&systems] { return systems.revision(); }, std::move(changed)),
        ticker_("revocation_watch", kRevocationPoll, [this] { watch_.poll(); }) {}

 private:
  systems::RevocationWatch watch_;
  Ticker ticker_;
};

class EmbeddedEngine final : public Engine {
 public:
  EmbeddedEngine(std::unique_ptr<DirectoryLock> lock, std::unique_ptr<sqlite::Database> database,
                 const Settings& settings, Use use, const Clock& clock)
      : lock_(std::move(lock)), database_(std::move(database)), stores_(*database_, document_form(settings)) {
    if (use != Use::stores) {
      queue_.emplace(
          *database_, clock,
          sqlite::SqliteQueueOptions{.max_depth = static_cast<std::uint64_t>(settings.queue_max_depth)});
    }
  }

  [[nodiscard]] EngineFacts facts() const override {
    return {fmt::format("SQLite {} in {}", sqlite3_libversion(), database_->file().parent_path().string()),
            "a 202 survives a crash of Collect and a power cut (synchronous=FULL)",
            {}};
  }
  Stores stores() override { return stores_.ports(); }
  Stores fenced(std::function<std::optional<std::int64_t>()> /*term*/) override { return stores_.ports(); }
  queue::Queue& queue() override { return queue_.value(); }

  // Every change moves SystemStore::revision(), which the service polls.
  Result<void> announce(std::string_view /*system_key*/) override { return {}; }
  std::unique_ptr<Running> listen(RevocationListener listener) override {
    return std::make_unique<RevocationPoll>(stores_.ports().systems,
                                            std::move(listener.anything_may_have_changed));
  }

 private:
  std::unique_ptr<DirectoryLock> lock_;
  std::unique_ptr<sqlite::Database> database_;
  sqlite::SqliteStores stores_;
  std::optional<sqlite::SqliteQueue> queue_;  // not where only stores are used
};

}  // namespace

std::filesystem::path embedded_database(const Settings& settings) {
  return std::filesystem::path(settings.data_dir) / "collect.db";
}

Result<std::unique_ptr<Engine>> open_embedded(const Settings& settings, Use use, const Clock& clock) {
  const std::filesystem::path file = embedded_database(settings);
  std::unique_ptr<DirectoryLock> lock;
  if (use == Use::service) {
    auto taken = DirectoryLock::take(file.parent_path());
    if (!taken) return taken.failure();
    lock = std::move(*taken);
  }
  auto database = sqlite::Database::open(file, {});
  if (!database) return database.failure();
  if (use == Use::service) {
    // Nobody else is here: what uploads had reserved that an earlier process took with it is free again, and
    // the monitors need not wait for the one that ran them.
    auto freed = (*database)->write([](sqlite::Transaction& transaction) {
      transaction.run("DELETE FROM backup_reservations WHERE state <> 'settled'");
      transaction.run("UPDATE collect_terms SET runner = '', beat = beat + 1");
    });
    if (!freed) return freed.failure();
  }
  return std::unique_ptr<Engine>(
      std::make_unique<EmbeddedEngine>(std::move(lock), std::move(*database), settings, use, clock));
}

}  // namespace collect::backend
