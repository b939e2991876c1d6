// SPDX-License-Identifier: Apache-2.0
#include "alertmanager/scoped_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "alertmanager/matcher.h"
#include "net/http.h"

namespace collect::alertmanager {
namespace {

constexpr std::size_t kMostFilters = 100;
constexpr std::array<std::string_view, 4> kFlags = {"active", "silenced", "inhibited", "unprocessed"};

// application/x-www-form-urlencoded, as Go reads queries.
std::optional<std::string> decoded(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return net::percent_decoded(spaced);
}

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

struct Parameter {
  std::string name, value;
};

Result<std::vector<Parameter>> parameters(std::string_view query) {
  std::vector<Parameter> all;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto name = decoded(pair.substr(0, equals));
    auto value = decoded(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value) return invalid("query: expected two hexadecimal digits after each '%'");
    all.push_back({*std::move(name), *std::move(value)});
  }
  return all;
}

class ScopedQuery {
 public:
  Result<void> take(const Parameter& parameter, bool of_alerts) {
    if (parameter.name == "filter") return take_filter(parameter.value);
    if (!of_alerts) return {};
    if (parameter.name == "receiver") return take_receiver(parameter.value);
    if (std::find(kFlags.begin(), kFlags.end(), parameter.name) != kFlags.end()) return take_flag(parameter);
    return {};
  }
  std::string finish(std::string_view system_key) {
    add("filter", to_filter(matcher_of(system_key)));
    return std::move(out_);
  }

 private:
  void add(std::string_view name, std::string_view value) {
    out_.append(out_.empty() ? "" : "&").append(name).append("=").append(encoded(value));
  }
  Result<void> once(const std::string& name) {
    if (std::find(seen_.begin(), seen_.end(), name) != seen_.end())
      return invalid(fmt::format("query: expected {} once, got it again", name));
    seen_.push_back(name);
    return {};
  }
  Result<void> take_flag(const Parameter& flag) {
    if (flag.value != "true" && flag.value != "false")
      return invalid(fmt::format("query: expected {} to be true or false, got another text", flag.name));
    if (auto first = once(flag.name); !first) return first;
    add(flag.name, flag.value);
    return {};
  }
  Result<void> take_receiver(const std::string& value) {
    if (auto first = once("receiver"); !first) return first;
    if (auto checked = check_matcher({"receiver", value, true, true}, "query"); !checked) return checked;
    add("receiver", value);
    return {};
  }
  Result<void> take_filter(const std::string& value) {
    const auto matchers = parse_filter(value);
    if (!matchers) return matchers.failure();
    for (const Matcher& matcher : *matchers) {
      if (matcher.name == "system_key") continue;
      if (++filters_ > kMostFilters)
        return invalid(fmt::format("query: expected at most {} filters", kMostFilters));
      add("filter", to_filter(matcher));
    }
    return {};
  }

  std::string out_;
  std::vector<std::string> seen_;
  std::size_t filters_ = 0;
};

Result<std::string> scoped(std::string_view query, std::string_view system_key, bool of_alerts) {
  const auto all = parameters(query);
  if (!all) return all.failure();
  ScopedQuery scoped_query;
  for (const Parameter& parameter : *all) {
    if (auto taken = scoped_query.take(parameter, of_alerts); !taken) return taken.failure();
  }
  return scoped_query.finish(system_key);
}

}  // namespace

Result<std::string> scoped_alerts_query(std::string_view query, std::string_view system_key) {
  return scoped(query, system_key, true);
}

Result<std::string> scoped_silences_query(std::string_view query, std::string_view system_key) {
  return scoped(query, system_key, false);
}

}  // namespace collect::alertmanager
