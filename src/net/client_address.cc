// SPDX-License-Identifier: Apache-2.0
#include "net/client_address.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <optional>
#include <vector>

namespace collect::net {
namespace {

namespace ip = boost::asio::ip;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// IPv4 written as IPv6 is the same address.
std::optional<ip::address> address_of(std::string_view text) {
  boost::system::error_code error;
  const ip::address address = ip::make_address(std::string(text), error);
  if (error || (address.is_v6() && address.to_v6().scope_id() != 0)) return std::nullopt;
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return ip::address(ip::make_address_v4(ip::v4_mapped, address.to_v6()));
  }
  return address;
}

// The parts between commas, the last one first.
std::vector<std::string_view> parts_backwards(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t comma = text.rfind(',');
    parts.push_back(trimmed(comma == std::string_view::npos ? text : text.substr(comma + 1)));
    if (comma == std::string_view::npos) return parts;
    text = text.substr(0, comma);
  }
}

}  // namespace

struct TrustedProxies::Networks {
  std::vector<ip::network_v4> v4;
  std::vector<ip::network_v6> v6;
};

TrustedProxies::TrustedProxies() : networks_(std::make_shared<Networks>()) {}

Result<TrustedProxies> TrustedProxies::parse(std::string_view text) {
  auto networks = std::make_shared<Networks>();
  for (const std::string_view part : parts_backwards(text)) {
    if (part.empty()) continue;
    boost::system::error_code error;
    const std::string word(part);
    if (const auto address = address_of(part)) {
      if (address->is_v4()) networks->v4.emplace_back(address->to_v4(), 32);
      if (address->is_v6()) networks->v6.emplace_back(address->to_v6(), 128);
    } else if (const auto v4 = ip::make_network_v4(word, error); !error) {
      networks->v4.push_back(v4.canonical());
    } else if (const auto v6 = ip::make_network_v6(word, error); !error) {
      networks->v6.push_back(v6.canonical());
    } else {
      return invalid(
          fmt::format("expected an address or a network like 10.0.0.0/8, got \"{}\"", shown(part)));
    }
  }
  TrustedProxies out;
  out.networks_ = std::move(networks);
  return out;
}

bool TrustedProxies::contains(std::string_view address) const {
  const auto parsed = address_of(address);
  if (!parsed) return false;
  if (parsed->is_v4()) {
    return std::ranges::any_of(networks_->v4, [&](const ip::network_v4& network) {
      return ip::network_v4(parsed->to_v4(), network.prefix_length()).canonical() == network;
    });
  }
  return std::ranges::any_of(networks_->v6, [&](const ip::network_v6& network) {
    return ip::network_v6(parsed->to_v6(), network.prefix_length()).canonical() == network;
  });
}

std::string client_address(const RequestHead& head, const TrustedProxies& trusted) {
  std::string client = head.peer_address;
  for (std::size_t i = head.headers.size(); i-- > 0;) {
    if (!equal_ignoring_case(head.headers.name(i), "x-forwarded-for")) continue;
    for (const std::string_view part : parts_backwards(head.headers.value(i))) {
      if (!trusted.contains(client)) return client;
      const auto address = address_of(part);
      // What a trusted proxy did not write as an address tells nothing about who is behind it.
      if (!address) return client;
      client = address->to_string();
    }
  }
  return client;
}

}  // namespace collect::net
