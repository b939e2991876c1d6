// SPDX-License-Identifier: Apache-2.0
#include "app/backups_part.h"

#include <fmt/format.h>

#include <utility>

#include "backend/object_stores.h"
#include "base/log.h"

namespace collect::app {

backups::BackupService::Options backup_options(const Settings& settings) {
  return {.keep = {.most = static_cast<std::size_t>(settings.backup_max_per_system),
                   .most_bytes = settings.backup_max_size_per_system.bytes},
          .most_bytes_per_organization = settings.backup_max_size_per_org.bytes};
}

Result<std::unique_ptr<BackupsPart>> BackupsPart::open(const Settings& settings, backups::Ledger& ledger,
                                                       const Clock& clock) {
  auto proxies = net::TrustedProxies::parse(settings.trusted_proxies);
  if (!proxies) return invalid("TRUSTED_PROXIES: " + proxies.failure().message);
  auto objects = backend::open_object_store(settings);
  if (!objects) return objects.failure();
  std::unique_ptr<BackupsPart> part(
      new BackupsPart(settings, *std::move(objects), *std::move(proxies), ledger, clock));
  return part;
}

BackupsPart::BackupsPart(const Settings& settings, std::unique_ptr<backups::ObjectStore> objects,
                         net::TrustedProxies proxies, backups::Ledger& ledger, const Clock& clock)
    : clock_(clock),
      objects_(std::move(objects)),
      // As many may wait for a thread as have one: longer than the door lets them, nobody waits.
      transfers_(static_cast<std::size_t>(settings.backup_max_transfers),
                 static_cast<std::size_t>(settings.backup_max_transfers)),
      service_(*objects_, ledger, clock, backup_options(settings)),
      api_(service_, transfers_,
           {.max_upload_bytes = settings.backup_max_upload_size.bytes,
            .uploads_per_minute = settings.backup_rate_limit_per_minute,
            .uploads_per_hour = settings.backup_rate_limit_per_hour,
            .trusted_proxies = std::move(proxies)}) {}

void BackupsPart::sweep() {
  const auto swept = objects_->sweep(clock_.now());
  if (!swept) {
    log::warn("backup_sweep_failed", {{"error", swept.failure().message}});
  } else if (*swept > 0) {
    log::info("backup_leftovers_removed", {{"count", *swept}});
  }
}

}  // namespace collect::app
