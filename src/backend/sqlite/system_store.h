// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/sqlite/database.h"
#include "systems/system_store.h"

namespace collect::sqlite {

class SystemStore final : public systems::SystemStore {
 public:
  explicit SystemStore(Database& database) : database_(database) {}

  Result<std::optional<systems::Login>> find(std::string_view key_or_id) override;
  Result<std::vector<systems::System>> list(const systems::SystemFilter& filter) override;
  Result<Count> count(const systems::SystemFilter& filter) override;
  Result<void> create(const systems::NewSystem& system, Time now) override;
  Result<void> change(const SystemId& system_id, const systems::SystemChange& change, Time now) override;
  Result<void> create_organization(const systems::Organization& organization, Time now) override;
  Result<std::vector<systems::Organization>> list_organizations() override;
  Result<std::int64_t> revision() override;

 private:
  Database& database_;
};

}  // namespace collect::sqlite
