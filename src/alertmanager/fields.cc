// SPDX-License-Identifier: Apache-2.0
#include "alertmanager/fields.h"

#include <fmt/format.h>

#include <algorithm>

namespace collect::alertmanager {
namespace {

const Time kLastTime = std::chrono::sys_days(std::chrono::year_month_day(
                           std::chrono::year(9999), std::chrono::December, std::chrono::day(31))) +
                       std::chrono::hours(24);

template <class T>
Result<std::optional<T>> optional_of(Result<T> result) {
  if (!result) return result.failure();
  return std::optional<T>(*std::move(result));
}

}  // namespace

Field::Field(const json::Value& object, std::string_view where, std::string_view key)
    : value_(object.find(key)), where_(fmt::format("{}.{}", where, key)) {
  if (value_ != nullptr && value_->is_null()) value_ = nullptr;
}

Failure Field::expected(std::string_view what) const {
  return invalid(fmt::format("{}: expected {}, got {}", where_, what,
                             value_ == nullptr ? "nothing" : json::to_string(value_->type)));
}

Result<std::string> Field::text() const {
  if (value_ == nullptr || !value_->is_string()) return expected("a string");
  return std::string(value_->text);
}

Result<bool> Field::flag() const {
  if (value_ == nullptr || value_->type != json::Type::boolean) return expected("true or false");
  return value_->boolean;
}

Result<Time> Field::time() const {
  if (value_ == nullptr || !value_->is_string()) return expected("a time like 2026-01-02T03:04:05Z");
  auto time = parse_rfc3339(value_->text);
  // With its offset, a time of the first or last day can be one of no year that can be written.
  if (!time || *time < kZeroTime || *time >= kLastTime)
    return invalid(
        fmt::format("{}: expected a time like 2026-01-02T03:04:05Z (RFC 3339), got another text", where_));
  return time;
}

Result<std::optional<std::string>> Field::text_if_any() const {
  if (missing()) return std::optional<std::string>();
  return optional_of(text());
}

Result<std::optional<Time>> Field::time_if_any() const {
  if (missing()) return std::optional<Time>();
  return optional_of(time());
}

Result<bool> Field::flag_or(bool otherwise) const {
  if (missing()) return otherwise;
  return flag();
}

std::string time_text(Time time) {
  std::string text = to_rfc3339(time);
  constexpr std::string_view kNoFraction = ".000000Z";
  if (text.ends_with(kNoFraction)) text.replace(text.size() - kNoFraction.size(), kNoFraction.size(), "Z");
  return text;
}

bool is_label_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace collect::alertmanager
