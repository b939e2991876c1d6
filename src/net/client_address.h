// SPDX-License-Identifier: Apache-2.0
// Who a request comes from when proxies stand between.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"

namespace collect::net {

// Addresses and networks whose X-Forwarded-For is believed. Values: copies share what they hold.
class TrustedProxies {
 public:
  // None.
  TrustedProxies();
  // "10.0.0.1, 192.168.0.0/16, 2001:db8::/32", as TRUSTED_PROXIES has it. `invalid` names what is no network.
  static Result<TrustedProxies> parse(std::string_view text);

  [[nodiscard]] bool contains(std::string_view address) const;

 private:
  struct Networks;
  std::shared_ptr<const Networks> networks_;
};

// The peer, or, as long as that is trusted, the one that it says it forwards for: the last address of
// X-Forwarded-For that no trusted proxy has. Always an address.
std::string client_address(const RequestHead& head, const TrustedProxies& trusted);

}  // namespace collect::net
