// SPDX-License-Identifier: Apache-2.0
#include "systems/system_registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "systems/credential.h"

namespace collect::systems {
namespace {

constexpr std::size_t kMaxName = 255;
constexpr int kKeyAttempts = 3;

// The name without white space around it.
Result<std::string> checked_name(std::string_view what, std::string_view name) {
  const std::size_t begin = name.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos)
    return invalid("expected a name for the " + std::string(what) + ", got none");
  name = name.substr(begin, name.find_last_not_of(" \t\r\n") - begin + 1);
  for (std::size_t i = 0; i < name.size();) {
    const std::size_t length = utf8_length(name.substr(i));
    if (length == 0) return invalid("expected UTF-8 in the " + std::string(what) + "'s name");
    const auto byte = static_cast<unsigned char>(name[i]);
    if (byte < 0x20 || byte == 0x7f) {
      return invalid("expected no control characters in the " + std::string(what) + "'s name");
    }
    i += length;
  }
  if (const std::size_t count = utf8_count(name); count > kMaxName) {
    return invalid("expected a name of at most 255 characters for the " + std::string(what) + ", got " +
                   std::to_string(count));
  }
  return std::string(name);
}

bool is_plain_id(std::string_view id) {
  return !id.empty() && id.size() <= kMaxName &&
         std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c <= '~'; });
}

Failure no_such_system(std::string_view key_or_id) {
  return not_found("no system has the key or id '" + std::string(utf8_prefix(key_or_id, 64)) + "'");
}

}  // namespace

SystemRegistry::SystemRegistry(SystemStore& store, std::size_t secret_min_length, Announce announce)
    : store_(store), secret_min_length_(secret_min_length), announce_(std::move(announce)) {}

Result<Organization> SystemRegistry::create_organization(const OrganizationOrder& order, Time now) {
  Result<std::string> name = checked_name("organization", order.name);
  if (!name) return name.failure();
  if (order.type == OrganizationType::owner) {
    return invalid("expected customer, reseller or distributor as the organization's type, got owner");
  }
  if (order.managed_by && !is_plain_id(*order.managed_by)) {
    return invalid("expected an organization's id as the managing organization");
  }
  if (order.managed_by) {
    const auto known = store_.list_organizations();
    if (!known) return known.failure();
    if (organization_with_id(*known, *order.managed_by) == nullptr)
      return not_found(fmt::format("there is no organization {} to manage it", *order.managed_by));
  }
  Organization organization;
  organization.row_id = new_uuid_v4();
  // Organizations of our own have no account elsewhere, but readers join on logto_id.
  organization.logto_id = OrganizationId(organization.row_id);
  organization.name = std::move(*name);
  organization.type = order.type;
  organization.vat = order.vat;
  organization.managed_by = order.managed_by;
  if (auto created = store_.create_organization(organization, now); !created) return created.failure();
  return organization;
}

Result<std::vector<Organization>> SystemRegistry::organizations() {
  return store_.list_organizations();
}

Result<IssuedSystem> SystemRegistry::create(const SystemOrder& order, Time now) {
  Result<std::string> name = checked_name("system", order.name);
  if (!name) return name.failure();
  if (!is_plain_id(order.organization_id.text()))
    return invalid("expected an organization's id for the system");
  const NewSecret secret = new_system_secret(secret_min_length_);
  Result<void> created = internal("not tried");
  // 128 random bits do not meet by chance, but a conflict costs nothing to try again.
  for (int attempt = 0; attempt < kKeyAttempts; ++attempt) {
    const NewSystem system{SystemId(new_uuid_v4()), new_system_key(), *name,
                           order.organization_id,   secret.stored,    order.registered};
    created = store_.create(system, now);
    if (created) {
      return IssuedSystem{system.id, system.system_key, secret.text, order.organization_id, system.name};
    }
    if (created.failure().kind != FailureKind::conflict) break;
  }
  return created.failure();
}

Result<std::vector<System>> SystemRegistry::list(const SystemFilter& filter) {
  return store_.list(filter);
}

Result<System> SystemRegistry::show(std::string_view key_or_id) {
  if (!is_plain_id(key_or_id)) return no_such_system(key_or_id);
  Result<std::optional<Login>> login = store_.find(key_or_id);
  if (!login) return login.failure();
  if (!*login) return no_such_system(key_or_id);
  return (*login)->system;
}

Result<System> SystemRegistry::standing(std::string_view key_or_id) {
  Result<System> system = show(key_or_id);
  if (system && (system->deleted_at || system->status == "deleted")) {
    return conflict("system " + system->system_key + " is deleted");
  }
  return system;
}

std::optional<Failure> SystemRegistry::tell(std::string_view system_key) {
  if (!announce_) return std::nullopt;
  const Result<void> told = announce_(system_key);
  return told ? std::nullopt : std::optional(told.failure());
}

Result<Changed> SystemRegistry::change(std::string_view key_or_id, const SystemChange& change, Time now) {
  const Result<System> before = standing(key_or_id);
  if (!before) return before.failure();
  if (auto changed = store_.change(before->id, change, now); !changed) return changed.failure();
  // Told before the second look: from here on the change holds, whatever reading it back may say.
  std::optional<Failure> not_announced = tell(before->system_key);
  Result<System> after = show(before->id.text());
  if (!after) return after.failure();
  return Changed{std::move(*after), std::move(not_announced)};
}

Result<Changed> SystemRegistry::suspend(std::string_view key_or_id, Time now) {
  return change(key_or_id, {.suspension = SystemChange::Suspension::suspend, .secret = {}, .remove = false},
                now);
}

Result<Changed> SystemRegistry::reactivate(std::string_view key_or_id, Time now) {
  return change(key_or_id, {.suspension = SystemChange::Suspension::lift, .secret = {}, .remove = false},
                now);
}

Result<Changed> SystemRegistry::remove(std::string_view key_or_id, Time now) {
  return change(key_or_id, {.suspension = SystemChange::Suspension::keep, .secret = {}, .remove = true}, now);
}

Result<Rotated> SystemRegistry::rotate_secret(std::string_view key_or_id, Time now) {
  const Result<System> system = standing(key_or_id);
  if (!system) return system.failure();
  NewSecret secret = new_system_secret(secret_min_length_);
  SystemChange change;
  change.secret = secret.stored;
  // Nothing may fail after this: the secret's text would be lost.
  if (auto changed = store_.change(system->id, change, now); !changed) return changed.failure();
  return Rotated{
      {system->id, system->system_key, std::move(secret.text), system->organization_id, system->name},
      tell(system->system_key)};
}

}  // namespace collect::systems
