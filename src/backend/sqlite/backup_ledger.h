// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/sqlite/database.h"
#include "backups/ledger.h"

namespace collect::sqlite {

class BackupLedger final : public backups::Ledger {
 public:
  explicit BackupLedger(Database& database) : database_(database) {}

  Result<bool> reserve(const backups::Reservation& wanted, const backups::Fits& fits, Time now,
                       Time until) override;
  Result<void> renew(std::span<const std::string> keys, Time until) override;
  Result<bool> take_turn(const backups::Reservation& mine, Time now, Time until) override;
  Result<void> settle(const backups::Reservation& mine, Time uploaded_at, Time expected_by,
                      Time until) override;
  Result<void> forget(std::span<const std::string> keys) override;
  Result<std::vector<backups::Overdue>> overdue(Time now) override;

 private:
  Database& database_;
};

}  // namespace collect::sqlite
