// SPDX-License-Identifier: Apache-2.0
// Systems for simulated appliances.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "fleet/appliance.h"
#include "fleet/client.h"
#include "systems/system_registry.h"

namespace collect::app {

struct Enlisted {
  SystemId id;
  std::string name;
  fleet::Kind kind = fleet::Kind::ns8;
  std::uint64_t seed = 0;
  fleet::Credentials credentials;
};

// An organization of that name with `count` registered systems, every third one a firewall. `first_seed` and
// the numbers after it make the appliances differ.
Result<std::vector<Enlisted>> enlist(systems::SystemRegistry& registry, const std::string& organization,
                                     std::size_t count, std::uint64_t first_seed, Time now);

}  // namespace collect::app
