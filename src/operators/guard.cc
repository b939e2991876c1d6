// SPDX-License-Identifier: Apache-2.0
#include "operators/guard.h"

#include "base/hash.h"

namespace collect::operators {
namespace {

constexpr std::string_view kScheme = "Bearer ";

std::string digest_of(std::string_view token) {
  const Sha256 digest = sha256(token);
  return {digest.begin(), digest.end()};
}

}  // namespace

Guard::Guard(std::string_view token) : digest_(digest_of(token)) {}

bool Guard::admits(std::string_view authorization) const {
  const bool bearer = net::equal_ignoring_case(authorization.substr(0, kScheme.size()), kScheme);
  const std::string_view given = bearer ? authorization.substr(kScheme.size()) : std::string_view();
  return equal_constant_time(digest_of(given), digest_);
}

net::Response unauthorized() {
  return net::envelope(401, "unauthorized").with("WWW-Authenticate", R"(Bearer realm="Operator")");
}

}  // namespace collect::operators
