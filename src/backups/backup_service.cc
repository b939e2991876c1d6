// SPDX-License-Identifier: Apache-2.0
#include "backups/backup_service.h"

#include <algorithm>
#include <thread>
#include <unordered_set>
#include <utility>

#include "base/log.h"
#include "base/sha256_stream.h"

namespace collect::backups {
namespace {

constexpr std::size_t kPiece = 256 * 1024;

// How long an upload that has ended still counts beside what listings show: longer than any listing that did
// not see it yet can take.
constexpr std::chrono::minutes kCountsOn{5};

// What a reservation announces counts, and of the stored what has none: the object of an upload that ends
// just now may be listed while its storage still writes it, with less than its size.
std::uint64_t bytes_of(std::span<const ObjectEntry> stored, std::span<const Reservation> reserved) {
  std::unordered_set<std::string_view> keys;
  std::uint64_t bytes = 0;
  for (const Reservation& each : reserved) {
    keys.insert(each.key);
    bytes += each.size;
  }
  for (const ObjectEntry& entry : stored) bytes += keys.contains(entry.key) ? 0 : entry.size;
  return bytes;
}

// For what may be said twice: of a broken connection it is not known whether the database heard, and on the
// next one it does. An upload that was left in the ledger would hold up the system's next for a minute.
template <class Call>
auto twice(const Call& call) {
  auto answer = call();
  if (!answer && answer.failure().kind == FailureKind::unavailable) answer = call();
  return answer;
}

}  // namespace

// An upload from its reservation on. Unless it was kept, destroying it gives the room back.
class BackupService::UnderWay {
 public:
  UnderWay(BackupService& service, std::string key) : service_(service), key_(std::move(key)) {
    const std::lock_guard lock(service_.mutex_);
    service_.under_way_.insert(key_);
    ++service_.counters_.under_way;
  }
  ~UnderWay() {
    {
      const std::lock_guard lock(service_.mutex_);
      service_.under_way_.erase(key_);
      --service_.counters_.under_way;
    }
    if (kept) return;
    service_.forget({&key_, 1});
    ++service_.counters_.failed;
  }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;

  bool kept = false;

 private:
  BackupService& service_;
  const std::string key_;
};

BackupService::BackupService(ObjectStore& objects, Ledger& ledger, const Clock& clock, Options options)
    : objects_(objects), ledger_(ledger), clock_(clock), options_(options) {}

// ---------------------------------------------------------------- in

// Listed before the reservations are read: what ends in between is in one of the two, or in both.
Result<std::optional<OverQuota>> BackupService::reserve(const Reservation& wanted) {
  const std::uint64_t limit = options_.most_bytes_per_organization;
  std::vector<ObjectEntry> stored;
  if (limit > 0) {
    auto listed = objects_.list(wanted.organization_id.text() + "/");
    if (!listed) {
      storage_outage_.began(listed.failure().message);
      return listed.failure();
    }
    stored = *std::move(listed);
  }
  std::uint64_t used = 0;
  const auto fits = [&](std::span<const Reservation> others) {
    used = bytes_of(stored, others);
    return limit == 0 || (wanted.size <= limit && used <= limit - wanted.size);
  };
  const Time now = clock_.now();
  const auto reserved = ledger_.reserve(wanted, fits, now, now + options_.lease);
  if (!reserved) {
    ledger_outage_.began(reserved.failure().message);
    forget({&wanted.key, 1});  // it may be reserved all the same
    return reserved.failure();
  }
  ledger_outage_.over();
  if (*reserved) return std::optional<OverQuota>();
  return std::optional(OverQuota{limit, used});
}

Result<Uploaded> BackupService::upload(const Owner& owner, const Incoming& incoming, net::ByteSource& body) {
  std::string filename = safe_filename(incoming.filename);
  const BackupId id = BackupId::make(filename, clock_.now());
  if (filename.empty()) filename = "backup-" + std::string(id.uuid());
  const Reservation mine{key_of(owner, id), owner.organization_id, owner.system_id, incoming.size};

  const auto refused = reserve(mine);
  if (!refused) return refused.failure();
  if (*refused) {
    ++counters_.over_quota;
    return Uploaded(**refused);
  }
  UnderWay under_way(*this, mine.key);
  auto upload = objects_.begin(mine.key, incoming.size);
  if (!upload) {
    storage_outage_.began(upload.failure().message);
    return upload.failure();
  }
  auto sha256 = receive(**upload, body);
  if (!sha256) return sha256.failure();

  // The bytes are here: without a database they are kept all the same, and the next upload prunes.
  const auto turn = wait_for_turn(mine);
  const ObjectMetadata metadata{*sha256, filename, incoming.uploader_ip, safe_mimetype(incoming.mimetype)};
  if (auto finished = (*upload)->finish(metadata); !finished) {
    storage_outage_.began(finished.failure().message);
    return finished.failure();
  }
  storage_outage_.over();
  under_way.kept = true;
  prune(owner, mine, turn && *turn);
  ++counters_.uploaded;
  counters_.uploaded_bytes += incoming.size;
  log::info("backup_stored",
            {{"system_id", owner.system_id.text()}, {"id", id.text()}, {"size", incoming.size}});
  return Uploaded(Backup{id, filename, incoming.size, *sha256, metadata.content_type});
}

// The checksum of what came, all of it written.
Result<std::string> BackupService::receive(Upload& upload, net::ByteSource& body) {
  std::vector<char> buffer(kPiece);
  Sha256Stream hash;
  for (;;) {
    const auto size = body.read(buffer);
    if (!size) return size.failure();
    if (*size == 0) return to_hex(hash.finish());
    const std::string_view piece(buffer.data(), *size);
    hash.add(piece);
    if (auto written = upload.write(piece); !written) {
      if (written.failure().kind == FailureKind::unavailable)
        storage_outage_.began(written.failure().message);
      return written.failure();
    }
  }
}

Result<bool> BackupService::wait_for_turn(const Reservation& mine) {
  const auto deadline = std::chrono::steady_clock::now() + options_.turn_patience;
  for (;;) {
    const Time now = clock_.now();
    auto taken = twice([&] { return ledger_.take_turn(mine, now, now + options_.lease); });
    if (!taken || *taken || std::chrono::steady_clock::now() >= deadline) return taken;
    std::this_thread::sleep_for(options_.turn_poll);
  }
}

// What cannot be removed now is beyond the limits after the next upload, too.
void BackupService::prune(const Owner& owner, const Reservation& mine, bool in_turn) {
  const auto id = id_of_key(mine.key).value();
  std::vector<ObjectEntry> stored = {{mine.key, mine.size, {}}};
  if (in_turn) {
    if (auto listed = objects_.list(system_prefix(owner))) {
      stored = *std::move(listed);
    } else {
      log::warn("backups_not_pruned",
                {{"system_id", owner.system_id.text()}, {"error", listed.failure().message}});
    }
  } else {
    log::warn("backups_not_pruned",
              {{"system_id", owner.system_id.text()}, {"error", "it was not its turn"}});
  }
  std::vector<std::string> gone;
  for (const std::string& key : beyond(options_.keep, stored, mine.key)) {
    if (auto removed = objects_.remove(key); !removed) {
      log::warn("backup_not_pruned", {{"key", key}, {"error", removed.failure().message}});
      if (is_gone(key)) gone.push_back(key);
      continue;
    }
    log::info("backup_pruned", {{"system_id", owner.system_id.text()}, {"key", key}});
    ++counters_.pruned;
    gone.push_back(key);
  }
  if (!gone.empty()) forget(gone);
  const auto settled = twice(
      [&] { return ledger_.settle(mine, id.uploaded_at(), expected_by(stored), clock_.now() + kCountsOn); });
  if (!settled) log::warn("backup_not_settled", {{"key", mine.key}, {"error", settled.failure().message}});
}

// Without a database they lapse by themselves.
void BackupService::forget(std::span<const std::string> keys) {
  (void)twice([&] { return ledger_.forget(keys); });
}

// A storage may fail to remove an object for good and have taken it away all the same: nobody asks for that
// one again, so its room is given back now.
bool BackupService::is_gone(const std::string& key) {
  const auto there = objects_.head(key);
  return !there && there.failure().kind == FailureKind::not_found;
}

void BackupService::renew() {
  std::vector<std::string> keys;
  {
    const std::lock_guard lock(mutex_);
    keys.assign(under_way_.begin(), under_way_.end());
  }
  if (keys.empty()) return;
  const auto renewed = ledger_.renew(keys, clock_.now() + options_.lease);
  if (!renewed) log::warn("backup_reservations_not_renewed", {{"error", renewed.failure().message}});
}

// ---------------------------------------------------------------- out

std::optional<Backup> backup_of(const ObjectInfo& info) {
  auto id = id_of_key(info.entry.key);
  if (!id) return std::nullopt;
  // Whoever put the object there may have had other ideas of a name.
  std::string filename = safe_filename(info.metadata.filename);
  if (filename.empty()) filename = "backup-" + std::string(id->uuid());
  return Backup{*std::move(id), std::move(filename), info.entry.size, info.metadata.sha256,
                safe_mimetype(info.metadata.content_type)};
}

Usage usage_of(std::span<const ObjectEntry> stored) {
  Usage usage;
  for (const ObjectEntry& entry : stored) {
    usage.backups += id_of_key(entry.key) ? 1 : 0;
    usage.bytes += entry.size;
  }
  return usage;
}

Result<std::vector<Backup>> BackupService::list(const Owner& owner) {
  auto stored = objects_.list(system_prefix(owner));
  if (!stored) return stored.failure();
  std::ranges::sort(*stored, std::ranges::greater(), &ObjectEntry::key);
  std::vector<Backup> out;
  for (const ObjectEntry& entry : *stored) {
    if (!id_of_key(entry.key)) continue;
    const auto info = objects_.head(entry.key);
    if (!info && info.failure().kind == FailureKind::not_found) continue;  // removed meanwhile
    if (!info) return info.failure();
    if (auto backup = backup_of(*info)) out.push_back(*std::move(backup));
  }
  return out;
}

Result<Backup> BackupService::find(const Owner& owner, const BackupId& id) {
  const auto info = objects_.head(key_of(owner, id));
  if (!info) return info.failure();
  return backup_of(*info).value();
}

Result<std::unique_ptr<Download>> BackupService::open(const Owner& owner, const BackupId& id,
                                                      std::optional<ByteRange> range) {
  auto opened = objects_.open(key_of(owner, id), range);
  if (opened) ++counters_.downloads;
  return opened;
}

Result<void> BackupService::remove(const Owner& owner, const BackupId& id) {
  const std::string key = key_of(owner, id);
  if (auto there = objects_.head(key); !there) {
    // A process that died as it removed this one has left its room reserved.
    if (there.failure().kind == FailureKind::not_found) forget({&key, 1});
    return there.failure();
  }
  auto removed = objects_.remove(key);
  if (removed || is_gone(key)) forget({&key, 1});
  if (!removed) return removed;
  ++counters_.deleted;
  log::info("backup_deleted", {{"system_id", owner.system_id.text()}, {"id", id.text()}});
  return {};
}

}  // namespace collect::backups
