// SPDX-License-Identifier: Apache-2.0
// GET /api/systems/info: what Collect knows about the system that asks.
#pragma once

#include "net/router.h"
#include "systems/authenticator.h"
#include "systems/system_store.h"

namespace collect::systems {

// Read afresh for each request, not from the authenticator's memory. Both outlive the endpoint.
net::Endpoint info_endpoint(Authenticator& authenticator, SystemStore& store);

// The answer's data: {"system_id", "system_key", "name", "type", "fqdn", "status", "suspended", …}.
std::string info_json(const System& system);

}  // namespace collect::systems
