// SPDX-License-Identifier: Apache-2.0
// Puts the authenticator before endpoints: whoever is refused is answered before the body is read.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <variant>

#include "net/http.h"
#include "net/router.h"
#include "systems/authenticator.h"

namespace collect::systems {

// The one 401: the same bytes whatever the reason was.
net::Response unauthorized();

// What an endpoint says to a system that was let in: an answer already, or what to do with the body. May run
// on an I/O thread: must not block. The head lives until the request is answered.
using Welcome = std::function<std::variant<net::Response, net::Accepted>(const net::RequestHead&,
                                                                         std::shared_ptr<const System>)>;

// Remembered verdicts are given on the I/O thread; unknown credentials are looked up on the server's pool. A
// store that fails is a 503 with Retry-After. `authenticator` outlives the endpoint.
net::Endpoint for_systems(Authenticator& authenticator, Welcome welcome);

// The same for endpoints that take every body up to a limit.
net::Endpoint for_systems(Authenticator& authenticator, std::uint64_t max_body_bytes, net::BodyUse use,
                          std::function<net::Response(const System&, net::Request)> handle);

// A system that was let in, as it is at this moment: remembered verdicts know it as it was when it logged in.
// The answer to give instead when it is barred since (the verdict is forgotten then) or the store is away.
std::variant<net::Response, System> as_it_is_now(Authenticator& authenticator, SystemStore& store,
                                                 const System& system);

}  // namespace collect::systems
