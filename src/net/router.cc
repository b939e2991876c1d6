// SPDX-License-Identifier: Apache-2.0
#include "net/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

namespace collect::net {
namespace {

bool is_param(std::string_view segment) {
  return segment.size() > 2 && segment.starts_with('{') && segment.ends_with('}');
}

std::vector<std::string> segments_of(std::string_view pattern) {
  const auto fail = [pattern](std::string_view why) {
    throw std::invalid_argument(fmt::format("route \"{}\": {}", pattern, why));
  };
  if (!pattern.starts_with('/')) fail("expected it to begin with \"/\"");
  std::vector<std::string> segments;
  for (std::size_t at = 1; at <= pattern.size();) {
    const std::size_t end = std::min(pattern.find('/', at), pattern.size());
    const std::string_view segment = pattern.substr(at, end - at);
    if (segment.empty() && pattern.size() > 1) fail("expected no empty segment");
    if (!is_param(segment) && segment.find_first_of("{}%") != std::string_view::npos) {
      fail("expected segments to be literal or {name}");
    }
    segments.emplace_back(is_param(segment) ? std::string_view() : segment);
    at = end + 1;
  }
  return segments;
}

std::optional<std::string> param_value(std::string_view segment) {
  auto value = percent_decoded(segment);
  if (!value || value->empty() || *value == "." || *value == "..") return std::nullopt;
  const bool odd = std::any_of(value->begin(), value->end(), [](char c) {
    return c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (odd) return std::nullopt;
  return value;
}

bool matches(const std::vector<std::string>& segments, std::string_view path,
             std::vector<std::string>& params) {
  params.clear();
  path.remove_prefix(1);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const std::size_t slash = path.find('/');
    const bool last = i + 1 == segments.size();
    if (last != (slash == std::string_view::npos)) return false;
    const std::string_view segment = path.substr(0, slash);
    if (segments[i].empty()) {
      auto value = param_value(segment);
      if (!value) return false;
      params.push_back(*std::move(value));
    } else if (segments[i] != segment) {
      return false;
    }
    if (!last) path.remove_prefix(slash + 1);
  }
  return true;
}

}  // namespace

Endpoint open_to_all(std::uint64_t max_body_bytes, BodyUse use, std::function<Response(Request)> handle) {
  Accepted accepted{max_body_bytes, use, std::move(handle)};
  return {[accepted = std::move(accepted)](const RequestHead&) -> Admission { return accepted; }};
}

bool Router::goes_before(const Route& route, const Route& other) {
  return std::ranges::lexicographical_compare(
      route.segments, other.segments,
      [](const std::string& a, const std::string& b) { return !a.empty() && b.empty(); });
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): it is moved into the map, which clang 14 overlooks
void Router::add(Method method, std::string_view pattern, Endpoint endpoint) {
  auto segments = segments_of(pattern);
  const bool params = pattern.find('{') != std::string_view::npos;
  std::string shape;
  for (const std::string& segment : segments)
    shape.append("/").append(segment.empty() && params ? "{}" : segment);
  const auto [at, fresh] = routes_.try_emplace(std::move(shape));
  Route& route = at->second;
  if (!fresh && route.pattern != pattern) {
    throw std::invalid_argument(fmt::format("route \"{}\": is there already as {}", pattern, route.pattern));
  }
  if (fresh) {
    route.pattern = pattern;
    route.segments = std::move(segments);
    if (params) {
      // Where two patterns match one path, the one with the earlier literal segment goes first.
      const auto place = std::find_if(with_params_.begin(), with_params_.end(),
                                      [&route](const Route* other) { return goes_before(route, *other); });
      with_params_.insert(place, &route);
    }
  }
  if (!route.endpoints.try_emplace(method, std::move(endpoint)).second) {
    throw std::invalid_argument(fmt::format("route \"{}\": {} is there already", pattern, to_string(method)));
  }
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): it is moved into the map, which clang 14 overlooks
void Router::add_rest(std::string_view prefix, Endpoint endpoint) {
  if (!prefix.starts_with('/') || !prefix.ends_with('/') ||
      !rests_.try_emplace(std::string(prefix), std::move(endpoint)).second) {
    throw std::invalid_argument(fmt::format("prefix \"{}\": expected a new one between two \"/\"", prefix));
  }
}

const Router::Route* Router::find(std::string_view path, std::vector<std::string>& params) const {
  if (!path.starts_with('/')) return nullptr;
  // A brace can stand in a raw path, and must not find a pattern by its spelling.
  if (path.find('{') == std::string_view::npos) {
    const auto literal = routes_.find(std::string(path));
    if (literal != routes_.end()) return &literal->second;
  }
  for (const Route* route : with_params_) {
    if (matches(route->segments, path, params)) return route;
  }
  params.clear();
  return nullptr;
}

Admission Router::admit(RequestHead& head) const {
  const Route* route = find(head.path, head.params);
  if (route == nullptr) {
    for (const auto& [prefix, endpoint] : rests_) {
      if (!head.path.starts_with(prefix)) continue;
      head.route = prefix;
      return endpoint.admit(head);
    }
    return envelope(404, "api not found");
  }
  head.route = route->pattern;
  auto at = route->endpoints.find(head.method);
  if (at == route->endpoints.end() && head.method == Method::head) at = route->endpoints.find(Method::get);
  if (at != route->endpoints.end() && head.method != Method::other) return at->second.admit(head);

  std::string allow;
  for (const auto& [method, endpoint] : route->endpoints) {
    allow.append(allow.empty() ? "" : ", ").append(to_string(method));
    if (method == Method::get && !route->endpoints.contains(Method::head)) allow.append(", HEAD");
  }
  return envelope(405, "method not allowed").with("Allow", std::move(allow));
}

}  // namespace collect::net
