// SPDX-License-Identifier: Apache-2.0
#include "backend/embedded_engine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <optional>

#include "backend/sqlite/database.h"
#include "backend/sqlite/sqlite_queue.h"
#include "backend/sqlite/sqlite_stores.h"
#include "base/ticker.h"
#include "systems/revocation.h"

namespace collect::backend {
namespace {

constexpr std::chrono::milliseconds kRevocationPoll{500};

// Holds the directory for one service at a time; the kernel lets go of it when the process ends, however it
// ends.
class DirectoryLock {
 public:
  static Result<std::unique_ptr<DirectoryLock>> take(const std::filesystem::path& directory) {
    const std::filesystem::path file = directory / "serve.lock";
    const int handle = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (handle < 0) return unavailable(fmt::format("cannot write in {}", directory.string()));
    std::unique_ptr<DirectoryLock> lock(new DirectoryLock(handle));
    if (::flock(handle, LOCK_EX | LOCK_NB) != 0) {
      return conflict(fmt::format(
          "another `collect serve` uses {}: stop it first, or set COLLECT_DATA_DIR to another directory",
          directory.string()));
    }
    return lock;
  }
  ~DirectoryLock() { ::close(handle_); }
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int handle) : handle_(handle) {}
  int handle_;
};

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
      : lock_(std::move(lock)), database_(std::move(database)), stores_(*database_) {
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
  return std::unique_ptr<Engine>(
      std::make_unique<EmbeddedEngine>(std::move(lock), std::move(*database), settings, use, clock));
}

}  // namespace collect::backend
