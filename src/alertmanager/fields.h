// SPDX-License-Identifier: Apache-2.0
// Members of JSON objects, read with a place for the failure's sentence. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace collect::alertmanager {

// A member of `object`, named in failures as "<where>.<key>". JSON's null counts as missing, as Go reads it.
class Field {
 public:
  Field(const json::Value& object, std::string_view where, std::string_view key);

  [[nodiscard]] bool missing() const { return value_ == nullptr; }
  // nullptr: missing.
  [[nodiscard]] const json::Value* value() const { return value_; }

  // `invalid`: another type, or (where nothing is allowed to be missing) missing.
  [[nodiscard]] Result<std::string> text() const;
  [[nodiscard]] Result<bool> flag() const;
  [[nodiscard]] Result<Time> time() const;
  [[nodiscard]] Result<std::optional<std::string>> text_if_any() const;
  [[nodiscard]] Result<std::optional<Time>> time_if_any() const;
  [[nodiscard]] Result<bool> flag_or(bool otherwise) const;

  // "alerts[3].labels: expected …, got …"
  [[nodiscard]] Failure expected(std::string_view what) const;
  [[nodiscard]] const std::string& where() const { return where_; }

 private:
  const json::Value* value_;
  std::string where_;
};

// Go's zero time: senders write it for "not yet known".
inline constexpr Time kZeroTime = std::chrono::sys_days(
    std::chrono::year_month_day(std::chrono::year(1), std::chrono::January, std::chrono::day(1)));

// RFC 3339 in UTC without a fraction that is zero: "0001-01-01T00:00:00Z".
std::string time_text(Time time);

// Prometheus' rule for label names: [a-zA-Z_][a-zA-Z0-9_]*.
bool is_label_name(std::string_view name);

}  // namespace collect::alertmanager
