// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "alerts/alert_store.h"
#include "backend/sqlite/database.h"

namespace collect::sqlite {

class AlertStore final : public alerts::AlertStore {
 public:
  explicit AlertStore(Database& database) : database_(database) {}

  Result<std::vector<alerts::Notified>> notify_all(std::span<const alerts::NotifyQuestion> questions,
                                                   const alerts::DecideNotify& decide) override;
  Result<std::vector<alerts::UnsentRecord>> unfinished(Time before, std::size_t limit) override;
  Result<std::vector<alerts::ListedAlert>> list(const alerts::AlertFilter& filter) override;
  Result<Count> count(const alerts::AlertFilter& filter) override;
  Result<std::optional<alerts::ShownAlert>> find(alerts::AlertId id) override;
  Result<bool> raise(const alerts::StandingAlert& alert, Time now) override;
  Result<bool> resolve(alerts::AlertId id, Time now) override;

 private:
  Database& database_;
};

}  // namespace collect::sqlite
