// SPDX-License-Identifier: Apache-2.0
#include "operators/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/utf8.h"
#include "net/http.h"

namespace collect::operators {
namespace {

// What RFC 3339 can write: the end of the last day leads beyond.
Time within_years(Time time) {
  using namespace std::chrono;
  constexpr Time kLast = sys_days{year{9999} / 12 / 31} + days(1) - Duration(1);
  return std::min(time, kLast);
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::optional<std::string> decoded(std::string text) {
  std::ranges::replace(text, '+', ' ');
  auto out = net::percent_decoded(text);
  if (!out || !is_utf8(*out)) return std::nullopt;
  const bool control =
      std::ranges::any_of(*out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  return control ? std::nullopt : out;
}

}  // namespace

Parameters::Parameters(std::string_view query) {
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), part.size() + 1));
    if (part.empty()) continue;
    const std::size_t equals = std::min(part.find('='), part.size());
    const auto name = decoded(std::string(part.substr(0, equals)));
    const auto value = decoded(std::string(part.substr(std::min(part.size(), equals + 1))));
    if (!name || !value) {
      problem_ = "expected a query of percent-encoded UTF-8 without control characters";
      return;
    }
    if (!values_.emplace(*name, *value).second && problem_.empty()) {
      problem_ = fmt::format("{}: expected it once", net::shown(*name));
    }
  }
}

std::optional<std::string> Parameters::take(const std::string& name) {
  known_ += (known_.empty() ? "" : ", ") + name;
  const auto found = values_.extract(name);
  return found.empty() ? std::nullopt : std::optional(std::move(found.mapped()));
}

void Parameters::refuse(const std::string& name, std::string_view expected, std::string_view got) {
  if (problem_.empty())
    problem_ = fmt::format("{}: expected {}, got \"{}\"", name, expected, net::shown(got));
}

std::optional<std::string> Parameters::text(const std::string& name, std::size_t most_bytes) {
  auto value = take(name);
  if (value && (value->empty() || value->size() > most_bytes)) {
    refuse(name, fmt::format("1 to {} bytes", most_bytes), *value);
    return std::nullopt;
  }
  return value;
}

std::optional<std::string> Parameters::word(const std::string& name,
                                            std::initializer_list<std::string_view> words) {
  auto value = take(name);
  if (value && std::ranges::find(words, *value) == words.end()) {
    refuse(name, fmt::format("one of {}", fmt::join(words, ", ")), *value);
    return std::nullopt;
  }
  return value;
}

std::optional<std::int64_t> Parameters::number(const std::string& name, std::int64_t least,
                                               std::int64_t most) {
  const auto value = take(name);
  if (!value) return std::nullopt;
  std::int64_t number = 0;
  const char* end = value->data() + value->size();
  const auto [stop, error] = std::from_chars(value->data(), end, number);
  if (error == std::errc() && stop == end && number >= least && number <= most) return number;
  refuse(name, fmt::format("a number from {} to {}", least, most), *value);
  return std::nullopt;
}

std::optional<bool> Parameters::flag(const std::string& name) {
  const auto value = word(name, {"true", "false"});
  return value ? std::optional(*value == "true") : std::nullopt;
}

std::optional<Time> Parameters::time(const std::string& name, std::chrono::days after_date) {
  const auto value = take(name);
  if (!value) return std::nullopt;
  if (const auto date = parse_rfc3339(*value + "T00:00:00Z")) return within_years(*date + after_date);
  // The "+" of an offset that was not percent-encoded has become a space.
  std::string written = *value;
  if (const auto space = written.find(' ', 11); space != std::string::npos) written[space] = '+';
  if (const auto time = parse_rfc3339(written)) return *time;
  refuse(name, "a date like 2026-01-02 or a time like 2026-01-02T03:04:05Z", *value);
  return std::nullopt;
}

std::optional<Time> Parameters::from(const std::string& name) {
  return time(name, std::chrono::days(0));
}

std::optional<Time> Parameters::to(const std::string& name) {
  return time(name, std::chrono::days(1));
}

Result<void> Parameters::done() const {
  if (!problem_.empty()) return invalid(problem_);
  if (values_.empty()) return {};
  return invalid(fmt::format("unknown parameter \"{}\": expected {}", net::shown(values_.begin()->first),
                             known_.empty() ? "none" : known_));
}

}  // namespace collect::operators
