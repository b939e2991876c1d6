// SPDX-License-Identifier: Apache-2.0
// Systems, organizations and what they log in with: values.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"

namespace collect::systems {

enum class OrganizationType { customer, reseller, distributor, owner };
std::string_view to_string(OrganizationType type);
std::optional<OrganizationType> parse_organization_type(std::string_view text);

struct Organization {
  std::string row_id;       // customers.id etc.
  OrganizationId logto_id;  // what systems.organization_id refers to; equals row_id where logto_id is null
  std::string name;
  OrganizationType type = OrganizationType::customer;
  std::optional<std::string> vat;
  std::optional<std::string> managed_by;  // custom_data.createdBy
  std::optional<Time> suspended_at;
  std::optional<Time> deleted_at;
};

// The one that has this logto_id or row_id; nullptr when none has.
const Organization* organization_with_id(std::span<const Organization> organizations, std::string_view id);

struct System {
  SystemId id;
  std::string system_key;
  std::string name;  // empty: null
  std::optional<std::string> type;
  std::optional<std::string> fqdn;
  std::optional<std::string> ipv4_address;
  std::optional<std::string> ipv6_address;
  std::optional<std::string> version;
  std::string status;  // unknown | active | inactive | deleted
  OrganizationId organization_id;
  // As found in the three tables by logto_id or id; an owner organization is in none of them: name empty,
  // type owner.
  Organization organization;
  Time created_at{};
  Time updated_at{};
  std::optional<Time> registered_at;
  std::optional<Time> suspended_at;
  std::optional<Time> last_inventory_at;
  std::optional<Time> last_heartbeat;
  std::optional<Time> deleted_at;
};

// What is stored of a system's secret "my_<public>.<secret>".
struct StoredSecret {
  std::string public_part;
  std::string secret_sha256;  // hex(salt16):hex(sha256(salt || secret))
};

struct Login {
  System system;
  std::optional<StoredSecret> secret;
};

}  // namespace collect::systems
