// SPDX-License-Identifier: Apache-2.0
#include "liveness/heartbeat_api.h"

#include "base/json.h"
#include "systems/guard.h"

namespace collect::liveness {

net::Endpoint heartbeat_endpoint(systems::Authenticator& authenticator, HeartbeatWriter& writer,
                                 const Clock& clock, std::uint64_t max_body_bytes) {
  const auto handle = [&writer, &clock](const systems::System& system, const net::Request&) {
    const Time now = clock.now();
    writer.note(system.id, now);
    json::Writer data;
    data.begin_object().member("system_key", system.system_key).member("acknowledged", true);
    data.member("last_heartbeat", to_rfc3339(now)).end_object();
    return net::envelope(200, "heartbeat acknowledged", data.text());
  };
  return systems::for_systems(authenticator, max_body_bytes, net::BodyUse::ignore, handle);
}

}  // namespace collect::liveness
