// SPDX-License-Identifier: Apache-2.0
// net/router and net/http: paths, against a reader that decodes them plainly.
#include <optional>
#include <string>
#include <vector>

#include "fuzz/fuzz.h"
#include "net/router.h"

namespace collect::fuzz {
namespace {

int digit_of(char c) {
  const std::size_t at = std::string_view("0123456789abcdefABCDEF").find(c);
  if (c == '\0' || at == std::string_view::npos) return -1;
  return static_cast<int>(at < 16 ? at : at - 6);
}

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    char c = text.front();
    text.remove_prefix(1);
    if (c == '%') {
      if (text.size() < 2 || digit_of(text[0]) < 0 || digit_of(text[1]) < 0) return std::nullopt;
      c = static_cast<char>(digit_of(text[0]) * 16 + digit_of(text[1]));
      text.remove_prefix(2);
    }
    out += c;
  }
  return out;
}

std::optional<std::string> param(std::string_view segment) {
  auto value = decoded(segment);
  if (!value || value->empty() || *value == "." || *value == "..") return std::nullopt;
  for (const char c : *value) {
    if (c == '/' || c == 0x7F || static_cast<unsigned char>(c) < 0x20) return std::nullopt;
  }
  return value;
}

struct Found {
  std::string route;
  std::vector<std::string> params;
  bool operator==(const Found&) const = default;
};

// The routes below, spelled out.
Found plainly(std::string_view path) {
  std::vector<std::string> segments;
  if (!path.starts_with('/')) return {};
  const std::string_view whole = path;
  path.remove_prefix(1);
  for (std::size_t slash; (slash = path.find('/')) != std::string_view::npos; path.remove_prefix(slash + 1))
    segments.emplace_back(path.substr(0, slash));
  segments.emplace_back(path);
  if (segments.size() == 3 && segments[0] == "api" && segments[1] == "things") {
    if (segments[2] == "all") return {"/api/things/all", {}};
    if (const auto id = param(segments[2])) return {"/api/things/{thing}", {*id}};
  }
  if (segments.size() == 4 && segments[0] == "api" && segments[3] == "parts") {
    const auto kind = param(segments[1]);
    const auto id = param(segments[2]);
    if (segments[1] == "things" && id) return {"/api/things/{thing}/parts", {*id}};
    if (kind && id) return {"/api/{kind}/{thing}/parts", {*kind, *id}};
  }
  if (whole.starts_with("/am/")) return {"/am/", {}};
  return {};
}

}  // namespace

void run(std::string_view input) {
  hold(net::percent_decoded(input) == decoded(input), "a plain reader decodes the same");

  net::Router router;
  Found found;
  const net::Endpoint endpoint{[&found](const net::RequestHead& head) -> net::Admission {
    found = {std::string(head.route), head.params};
    return net::Response{};
  }};
  for (const char* pattern :
       {"/api/{kind}/{thing}/parts", "/api/things/{thing}", "/api/things/all", "/api/things/{thing}/parts"})
    router.add(net::Method::get, pattern, endpoint);
  router.add_rest("/am/", endpoint);
  net::RequestHead head;
  head.path = input;
  const auto admission = router.admit(head);
  hold(found == plainly(input), "a plain reader finds the same");
  const auto* response = std::get_if<net::Response>(&admission);
  hold(response != nullptr && response->status == (found.route.empty() ? 404 : 200),
       "what is nowhere is a 404");
}

}  // namespace collect::fuzz
