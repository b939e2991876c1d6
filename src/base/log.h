// SPDX-License-Identifier: Apache-2.0
// Log lines are events with fields: one JSON object (or one console line) each, on standard error.
// The sink is the one global of the program. All functions are thread-safe. Never pass a secret.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace collect::log {

enum class Level { debug, info, warn, error };
enum class Format { json, console };

struct Field {
  using Any = std::variant<std::string, std::int64_t, double, bool>;
  std::string_view name;
  Any value;

  Field(std::string_view n, std::string_view v) : name(n), value(std::string(v)) {}
  Field(std::string_view n, const std::string& v) : name(n), value(v) {}
  Field(std::string_view n, const char* v) : name(n), value(std::string(v)) {}
  Field(std::string_view n, bool v) : name(n), value(v) {}
  Field(std::string_view n, double v) : name(n), value(v) {}
  template <class Int>
  requires std::is_integral_v<Int> Field(std::string_view n, Int v)
      : name(n), value(static_cast<std::int64_t>(v)) {}
};

using Fields = std::initializer_list<Field>;

void configure(Level lowest, Format format);
[[nodiscard]] bool enabled(Level level);

// `event` is a snake_case name that stays the same over releases: people search for it.
void write(Level level, std::string_view event, Fields fields);

inline void debug(std::string_view event, Fields fields = {}) {
  write(Level::debug, event, fields);
}
inline void info(std::string_view event, Fields fields = {}) {
  write(Level::info, event, fields);
}
inline void warn(std::string_view event, Fields fields = {}) {
  write(Level::warn, event, fields);
}
inline void error(std::string_view event, Fields fields = {}) {
  write(Level::error, event, fields);
}

}  // namespace collect::log
