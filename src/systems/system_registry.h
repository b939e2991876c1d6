// SPDX-License-Identifier: Apache-2.0
// What an operator does with organizations and systems: the rules behind `collect org` and `collect system`.
// Texts returned as *_json are what `--json` prints (contract section 9).
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "systems/system_store.h"

namespace collect::systems {

struct OrganizationOrder {
  std::string name;
  OrganizationType type = OrganizationType::customer;
  std::optional<std::string> vat;
  std::optional<std::string> managed_by;  // the managing organization's id; goes to custom_data.createdBy
};

struct SystemOrder {
  OrganizationId organization_id;
  std::string name;
  bool registered = true;
};

// A system and its secret's text, which is nowhere else and cannot be had again.
struct IssuedSystem {
  SystemId id;
  std::string system_key;
  std::string system_secret;
  OrganizationId organization_id;
  std::string name;
};

// Tells running processes that what they remember about this system no longer holds.
using Announce = std::function<Result<void>(std::string_view system_key)>;

struct Changed {
  System system;  // as it is after the change
  // The change holds, but running processes were not told: they may go by the old state until their memory of
  // it ends (SYSTEM_AUTH_CACHE_TTL).
  std::optional<Failure> not_announced;
};

struct Rotated {
  IssuedSystem issued;
  std::optional<Failure> not_announced;
};

// Every `key_or_id` takes either; `not_found` when no system has it. Thread-safe as the store is.
class SystemRegistry {
 public:
  // `announce` may be empty: nobody needs to be told (the embedded engine's processes watch the store).
  SystemRegistry(SystemStore& store, std::size_t secret_min_length, Announce announce);

  // `invalid` for an empty name or one over 255 characters or with control characters, for type owner, and
  // for an id in managed_by that can be none.
  Result<Organization> create_organization(const OrganizationOrder& order, Time now);
  Result<std::vector<Organization>> organizations();

  Result<IssuedSystem> create(const SystemOrder& order, Time now);
  Result<std::vector<System>> list(const SystemFilter& filter);
  // Deleted ones too.
  Result<System> show(std::string_view key_or_id);
  // These are `conflict` on a deleted system. Suspending twice is no error, nor is reactivating twice.
  Result<Changed> suspend(std::string_view key_or_id, Time now);
  Result<Changed> reactivate(std::string_view key_or_id, Time now);
  // The old secret is refused from then on.
  Result<Rotated> rotate_secret(std::string_view key_or_id, Time now);
  // Soft: its rows stay, it can no longer log in.
  Result<Changed> remove(std::string_view key_or_id, Time now);

 private:
  Result<System> standing(std::string_view key_or_id);
  Result<Changed> change(std::string_view key_or_id, const SystemChange& change, Time now);
  std::optional<Failure> tell(std::string_view system_key);

  SystemStore& store_;
  const std::size_t secret_min_length_;
  const Announce announce_;
};

std::string organization_json(const Organization& organization);              // {"id", "name", "type"}
std::string organizations_json(std::span<const Organization> organizations);  // a list, with all fields
std::string issued_system_json(const IssuedSystem& issued);  // {"id", "system_key", "system_secret", …}
std::string system_json(const System& system);               // all fields but the secret's
std::string systems_json(std::span<const System> systems);

}  // namespace collect::systems
