// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <fmt/format.h>

namespace collect {
namespace {

// Reads exactly `count` digits at `at`; moves `at` on. -1: not digits.
int digits(std::string_view text, std::size_t& at, std::size_t count) {
  if (at + count > text.size()) return -1;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const char c = text[at + i];
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  at += count;
  return value;
}

bool literal(std::string_view text, std::size_t& at, std::string_view allowed) {
  if (at >= text.size() || allowed.find(text[at]) == std::string_view::npos) return false;
  ++at;
  return true;
}

Failure bad_time(std::string_view text) {
  return invalid(
      fmt::format("expected a time like 2026-01-02T03:04:05Z (RFC 3339), got \"{}\"", text.substr(0, 64)));
}

}  // namespace

std::string to_rfc3339(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

Result<Time> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  std::size_t at = 0;
  const int y = digits(text, at, 4);
  bool shape = literal(text, at, "-");
  const int mo = digits(text, at, 2);
  shape = shape && literal(text, at, "-");
  const int d = digits(text, at, 2);
  shape = shape && literal(text, at, "Tt ");
  const int h = digits(text, at, 2);
  shape = shape && literal(text, at, ":");
  const int mi = digits(text, at, 2);
  shape = shape && literal(text, at, ":");
  const int s = digits(text, at, 2);
  if (!shape || y < 1 || mo < 1 || d < 1 || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 60) {
    return bad_time(text);
  }
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)}, day{static_cast<unsigned>(d)}};
  if (!date.ok()) return bad_time(text);

  std::int64_t micros = 0;
  if (literal(text, at, ".")) {
    const std::size_t first = at;
    std::int64_t unit = 100000;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10) {
      micros += (text[at] - '0') * unit;
    }
    if (at == first || at - first > 9) return bad_time(text);
  }

  minutes offset{0};
  if (!literal(text, at, "Zz")) {
    const bool east = at < text.size() && text[at] == '+';
    if (!literal(text, at, "+-")) return bad_time(text);
    const int oh = digits(text, at, 2);
    const bool colon = literal(text, at, ":");
    const int om = digits(text, at, 2);
    if (!colon || oh < 0 || oh > 23 || om < 0 || om > 59) return bad_time(text);
    offset = (east ? 1 : -1) * (hours{oh} + minutes{om});
  }
  if (at != text.size()) return bad_time(text);
  const Time time{sys_days{date} + hours{h} + minutes{mi} + seconds{s} + microseconds{micros} - offset};
  constexpr Time kFirst = sys_days{year{1} / 1 / 1};
  constexpr Time kLast = sys_days{year{9999} / 12 / 31} + days(1) - Duration(1);
  if (time < kFirst || time > kLast) return bad_time(text);
  return time;
}

Time SystemClock::now() const {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

Time ManualClock::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

void ManualClock::set(Time now) {
  const std::lock_guard lock(mutex_);
  now_ = now;
}

void ManualClock::advance(Duration by) {
  const std::lock_guard lock(mutex_);
  now_ += by;
}

}  // namespace collect
