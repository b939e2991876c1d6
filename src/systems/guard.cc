// SPDX-License-Identifier: Apache-2.0
#include "systems/guard.h"

#include <utility>

namespace collect::systems {
namespace {

using Decision = std::variant<net::Response, net::Accepted>;

Decision ask(Authenticator& authenticator, const Welcome& welcome, const net::RequestHead& head) {
  Result<Verdict> verdict = authenticator.check(head.header("Authorization"));
  if (!verdict) return net::try_again_later("log-ins cannot be checked at the moment");
  if (verdict->kind != Verdict::Kind::admitted) return unauthorized();
  return welcome(head, std::move(verdict->system));
}

}  // namespace

net::Response unauthorized() {
  return net::envelope(401, "unauthorized")
      .with("WWW-Authenticate", R"(Basic realm="System Authentication")");
}

net::Endpoint for_systems(Authenticator& authenticator, Welcome welcome) {
  const auto shared = std::make_shared<const Welcome>(std::move(welcome));
  return {[&authenticator, shared](const net::RequestHead& head) -> net::Admission {
    Verdict verdict = authenticator.from_cache(head.header("Authorization"));
    if (verdict.kind == Verdict::Kind::refused) return unauthorized();
    if (verdict.kind == Verdict::Kind::unknown) {
      return net::Blocking{[&authenticator, shared, &head] { return ask(authenticator, *shared, head); }};
    }
    return std::visit(
        [](auto&& decision) -> net::Admission { return std::forward<decltype(decision)>(decision); },
        (*shared)(head, std::move(verdict.system)));
  }};
}

net::Endpoint for_systems(Authenticator& authenticator, std::uint64_t max_body_bytes, net::BodyUse use,
                          std::function<net::Response(const System&, net::Request)> handle) {
  const auto shared = std::make_shared<const decltype(handle)>(std::move(handle));
  return for_systems(authenticator,
                     [max_body_bytes, use, shared](const net::RequestHead&,
                                                   std::shared_ptr<const System> system) -> Decision {
                       return net::Accepted{max_body_bytes, use,
                                            [shared, system = std::move(system)](net::Request request) {
                                              return (*shared)(*system, std::move(request));
                                            }};
                     });
}

std::variant<net::Response, System> as_it_is_now(Authenticator& authenticator, SystemStore& store,
                                                 const System& system) {
  Result<std::optional<Login>> login = store.find(system.id.text());
  if (!login) return net::try_again_later("systems cannot be looked up at the moment");
  if (!*login || why_barred((*login)->system)) {
    authenticator.invalidate(system.system_key);
    authenticator.invalidate(system.id.text());
    return unauthorized();
  }
  return std::move((*login)->system);
}

}  // namespace collect::systems
