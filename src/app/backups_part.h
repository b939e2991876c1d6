// SPDX-License-Identifier: Apache-2.0
// What serves backups, built together: storage, service, API and the threads that bodies keep busy.
#pragma once

#include <memory>

#include "backups/backup_api.h"
#include "backups/backup_service.h"
#include "backups/ledger.h"
#include "base/clock.h"
#include "base/pool.h"
#include "base/settings.h"

namespace collect::app {

class BackupsPart {
 public:
  // `ledger` and `clock` outlive it. The failure says which setting is wrong.
  static Result<std::unique_ptr<BackupsPart>> open(const Settings& settings, backups::Ledger& ledger,
                                                   const Clock& clock);
  BackupsPart(const BackupsPart&) = delete;
  BackupsPart& operator=(const BackupsPart&) = delete;

  backups::BackupService& service() { return service_; }
  backups::BackupApi& api() { return api_; }

  // Now and then: keeps the room of uploads under way; much more often than their lease ends.
  void renew() { service_.renew(); }
  // Removes what uploads left behind whose process died.
  void sweep();

 private:
  BackupsPart(const Settings& settings, std::unique_ptr<backups::ObjectStore> objects,
              net::TrustedProxies proxies, backups::Ledger& ledger, const Clock& clock);

  const Clock& clock_;
  const std::unique_ptr<backups::ObjectStore> objects_;
  Pool transfers_;
  backups::BackupService service_;
  backups::BackupApi api_;
};

// As the settings limit what is kept.
backups::BackupService::Options backup_options(const Settings& settings);

}  // namespace collect::app
