// SPDX-License-Identifier: Apache-2.0
// PORT. Organizations and systems. Rows that other programs wrote count the same as ours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/count.h"
#include "base/result.h"
#include "systems/system.h"

namespace collect::systems {

struct NewSystem {
  SystemId id;
  std::string system_key;
  std::string name;  // empty: null
  OrganizationId organization_id;
  StoredSecret secret;
  bool registered = true;  // registered_at = now, else null
};

// What an operator does to a system. Unset members stay as they are.
struct SystemChange {
  enum class Suspension { keep, suspend, lift };
  Suspension suspension = Suspension::keep;
  std::optional<StoredSecret> secret;
  bool remove = false;  // soft: status 'deleted', deleted_at
};

// Unset members do not filter.
struct SystemFilter {
  std::optional<OrganizationId> organization_id = {};
  bool include_deleted = false;
  std::optional<std::string> status = {};
  std::optional<std::string> type = {};
  std::optional<std::string> search = {};  // part of name, fqdn or system_key, ASCII letters in either case
  std::optional<SystemId> after = {};      // those behind that one in the list: the cursor
  std::size_t skip = 0;                    // so many of the first
  std::optional<std::size_t> limit = {};   // none: all
};

class SystemStore {
 public:
  virtual ~SystemStore() = default;
  // By system_key or id, deleted and suspended ones too: the caller decides. nullopt: no such system.
  virtual Result<std::optional<Login>> find(std::string_view key_or_id) = 0;
  // The oldest first, by created_at, then id. `invalid`: there is no system `after`.
  virtual Result<std::vector<System>> list(const SystemFilter& filter) = 0;
  // How long list() is without `after`, `skip` and `limit`, up to kCounted.
  virtual Result<Count> count(const SystemFilter& filter) = 0;
  // `not_found` when the organization does not exist, `conflict` when the key does.
  virtual Result<void> create(const NewSystem& system, Time now) = 0;
  // `not_found` when there is no such system.
  virtual Result<void> change(const SystemId& system_id, const SystemChange& change, Time now) = 0;
  virtual Result<void> create_organization(const Organization& organization, Time now) = 0;
  virtual Result<std::vector<Organization>> list_organizations() = 0;
  // A number that grows with every create() and change(), bumped in the same transaction, by whichever
  // process (on both engines: collect_state, key 'systems_changed'). 0: nothing was ever written through this
  // port. A process that keeps answers asks for it twice a second and forgets them when it grew, so one cheap
  // read. create_organization() need not bump it: nobody is in a new organization.
  virtual Result<std::int64_t> revision() = 0;
};

}  // namespace collect::systems
