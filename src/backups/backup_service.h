// SPDX-License-Identifier: Apache-2.0
// Backups in and out: what the API and the command line do, without HTTP.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "backups/backup.h"
#include "backups/ledger.h"
#include "backups/object_store.h"
#include "backups/pruning.h"
#include "base/clock.h"
#include "base/outage.h"
#include "net/byte_source.h"

namespace collect::backups {

// What a sender says about a backup.
struct Incoming {
  std::string filename;     // as given; made safe here
  std::string mimetype;     // likewise
  std::string uploader_ip;  // an address
  std::uint64_t size = 0;   // bytes, at least 1
};

// The organization's quota has no room for it.
struct OverQuota {
  std::uint64_t limit = 0;  // bytes
  std::uint64_t used = 0;   // by backups and by uploads that are under way
};
using Uploaded = std::variant<Backup, OverQuota>;

struct Usage {
  std::uint64_t backups = 0;
  std::uint64_t bytes = 0;  // of everything under the organization's prefix
};

struct BackupCounters {
  std::atomic<std::uint64_t> uploaded{0};
  std::atomic<std::uint64_t> uploaded_bytes{0};
  std::atomic<std::uint64_t> failed{0};      // begun, and not stored
  std::atomic<std::uint64_t> over_quota{0};  // refused
  std::atomic<std::uint64_t> under_way{0};   // right now
  std::atomic<std::uint64_t> pruned{0};
  std::atomic<std::uint64_t> deleted{0};  // by their systems
  std::atomic<std::uint64_t> downloads{0};
};

// All functions are safe from any thread and take as long as the storage does.
class BackupService {
 public:
  struct Options {
    KeepLimits keep;
    std::uint64_t most_bytes_per_organization = 0;  // 0: no quota
    // How long a process that died keeps what it had reserved; renew() has to be called several times within.
    std::chrono::seconds lease{60};
    // How long uploads that end at once wait for each other, and how often they look.
    std::chrono::milliseconds turn_patience{90'000};
    std::chrono::milliseconds turn_poll{50};
  };

  BackupService(ObjectStore& objects, Ledger& ledger, const Clock& clock, Options options);

  // Reads `body` to its end and stores it as the owner's newest backup, then prunes. Whatever fails, no
  // object stays and no room is lost. `unavailable`: storage or database; `invalid`: from `body`, or it was
  // shorter than announced. Nothing is read from `body` before there is room for it.
  Result<Uploaded> upload(const Owner& owner, const Incoming& incoming, net::ByteSource& body);

  // Newest first.
  Result<std::vector<Backup>> list(const Owner& owner);
  // `not_found`: no such backup of this owner.
  Result<Backup> find(const Owner& owner, const BackupId& id);
  Result<std::unique_ptr<Download>> open(const Owner& owner, const BackupId& id,
                                         std::optional<ByteRange> range);
  Result<void> remove(const Owner& owner, const BackupId& id);

  // Keeps the reservations of the uploads that are under way here.
  void renew();

  [[nodiscard]] const BackupCounters& counters() const { return counters_; }

 private:
  class UnderWay;
  Result<std::optional<OverQuota>> reserve(const Reservation& wanted);
  Result<std::string> receive(Upload& upload, net::ByteSource& body);
  Result<bool> wait_for_turn(const Reservation& mine);
  void prune(const Owner& owner, const Reservation& mine, bool in_turn);
  void forget(std::span<const std::string> keys);
  bool is_gone(const std::string& key);

  ObjectStore& objects_;
  Ledger& ledger_;
  const Clock& clock_;
  const Options options_;
  BackupCounters counters_;
  Outage storage_outage_{"backup_storage"};
  Outage ledger_outage_{"backup_ledger"};
  std::mutex mutex_;
  std::set<std::string> under_way_;  // keys; guarded by mutex_
};

// A backup as people see it, from what the storage knows; nullopt: the object is none.
std::optional<Backup> backup_of(const ObjectInfo& info);

// Every object under the prefix counts, also what is no backup.
Usage usage_of(std::span<const ObjectEntry> stored);

}  // namespace collect::backups
