// SPDX-License-Identifier: Apache-2.0
// net/client_address and base/setting_forms: X-Forwarded-For, and the networks whose word is taken.
#include <arpa/inet.h>

#include <array>
#include <string>

#include "base/setting_forms.h"
#include "fuzz/fuzz.h"
#include "net/client_address.h"

namespace collect::fuzz {
namespace {

bool is_address(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

}  // namespace

// The first line: trusted networks; the second: the peer's address; the others: X-Forwarded-For, each in a
// field of its own.
void run(std::string_view input) {
  const std::string networks(take_part(input, '\n'));
  const auto trusted = net::TrustedProxies::parse(networks);
  hold(trusted.ok() || !forms::networks(networks).ok(), "a setting that is accepted can be used");
  if (!trusted) {
    hold(trusted.failure().kind == FailureKind::invalid, "what is refused is the setting's fault");
    return;
  }

  net::RequestHead head;
  const std::string peer(take_part(input, '\n'));
  head.peer_address = is_address(peer) ? peer : "192.0.2.1";
  while (!input.empty()) head.headers.add("X-Forwarded-For", take_part(input, '\n'));

  const std::string nobody_trusted = net::client_address(head, net::TrustedProxies());
  hold(nobody_trusted == head.peer_address, "where nobody is trusted, the peer is the client");
  const std::string client = net::client_address(head, *trusted);
  hold(is_address(client), "the client is an address");
  hold(trusted->contains(head.peer_address) || client == head.peer_address,
       "only a trusted peer is believed");

  // What a client says of itself stands before what the proxies add, and changes nothing.
  if (!trusted->contains(client)) {
    net::RequestHead forged = head;
    forged.headers = {};
    forged.headers.add("X-Forwarded-For", "203.0.113.9, 10.0.0.1");
    for (std::size_t i = 0; i < head.headers.size(); ++i)
      forged.headers.add(head.headers.name(i), head.headers.value(i));
    hold(net::client_address(forged, *trusted) == client, "nobody can say who he is");
  }
}

}  // namespace collect::fuzz
