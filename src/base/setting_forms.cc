// SPDX-License-Identifier: Apache-2.0
#include "base/setting_forms.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

namespace collect::forms {
namespace {

std::optional<unsigned> number_up_to(std::string_view text, unsigned most) {
  unsigned out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || out > most) return std::nullopt;
  return out;
}

bool is_ip(std::string_view text, int family) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  return inet_pton(family, std::string(text).c_str(), parsed.data()) == 1;
}

bool is_host(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

bool is_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view host = text.substr(0, slash);
  const bool v4 = is_ip(host, AF_INET);
  if (!v4 && !is_ip(host, AF_INET6)) return false;
  return slash == std::string_view::npos || number_up_to(text.substr(slash + 1), v4 ? 32 : 128).has_value();
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

Result<void> address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const auto wrong = [&] {
    return invalid(fmt::format("expected an address like 127.0.0.1:8081 or [::1]:8081, got \"{}\"", text));
  };
  if (colon == std::string_view::npos || !number_up_to(text.substr(colon + 1), 65535)) return wrong();
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    if (!is_ip(host.substr(1, host.size() - 2), AF_INET6)) return wrong();
    return {};
  }
  if (!is_host(host)) return wrong();
  return {};
}

Result<void> url(std::string_view text, const std::vector<std::string_view>& schemes) {
  for (const std::string_view scheme : schemes) {
    const std::string start = fmt::format("{}://", scheme);
    if (text.starts_with(start) && text.size() > start.size() &&
        text.find_first_of(" \t\r\n\"") == std::string_view::npos) {
      return {};
    }
  }
  return invalid(fmt::format("expected a URL that starts with {}://", fmt::join(schemes, ":// or ")));
}

Result<void> networks(std::string_view text) {
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string_view one = trimmed(text.substr(at, comma - at));
    if (!is_network(one)) {
      return invalid(fmt::format("expected addresses or networks like 10.0.0.0/8, got \"{}\"", one));
    }
    at = comma + 1;
  }
  return {};
}

Result<void> queue_name(std::string_view text) {
  static constexpr std::string_view kBeside[] = {":delayed", ":dead",  ":leases",
                                                 ":strikes", ":fence", ":busy"};
  const bool readable = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  const bool beside = text.find(":claim:") != std::string_view::npos ||
                      std::any_of(std::begin(kBeside), std::end(kBeside),
                                  [&](std::string_view ending) { return text.ends_with(ending); });
  if (readable && !beside) return {};
  return invalid(
      fmt::format("expected a name like collect:inventory without spaces, that does not end like what "
                  "stands beside a queue (:delayed, :dead, …), got \"{}\"",
                  text));
}

Result<void> bucket(std::string_view text) {
  const bool characters = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
  if (characters && text.size() >= 3 && text.size() <= 63 && text.front() != '.' && text.front() != '-' &&
      text.back() != '.' && text.back() != '-') {
    return {};
  }
  return invalid(fmt::format(
      "expected a bucket's name, 3 to 63 lower-case letters, digits, dots and hyphens, got \"{}\"", text));
}

}  // namespace collect::forms
