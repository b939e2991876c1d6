// SPDX-License-Identifier: Apache-2.0
// POST /api/systems/heartbeat: "I am alive".
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "liveness/heartbeat_writer.h"
#include "net/router.h"
#include "systems/authenticator.h"

namespace collect::liveness {

// 200 with {"system_key", "acknowledged": true, "last_heartbeat"}. A body of up to `max_body_bytes` is read
// and ignored; senders need send none, nor its length or type. All three outlive the endpoint.
net::Endpoint heartbeat_endpoint(systems::Authenticator& authenticator, HeartbeatWriter& writer,
                                 const Clock& clock, std::uint64_t max_body_bytes);

}  // namespace collect::liveness
