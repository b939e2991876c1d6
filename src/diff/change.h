// SPDX-License-Identifier: Apache-2.0
// One change between two inventories, as it is stored and told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace collect::diff {

enum class ChangeType : std::uint8_t { create, update, delete_ };
enum class Severity : std::uint8_t { low, medium, high, critical };  // in rising order

// The words that stand in tables, JSON and config.yml: create, update, delete; low, medium, high, critical.
std::string_view to_string(ChangeType type);
std::string_view to_string(Severity severity);
std::optional<ChangeType> parse_change_type(std::string_view word);
std::optional<Severity> parse_severity(std::string_view word);

struct Change {
  ChangeType type = ChangeType::update;
  std::string field_path;  // dotted, at most Limits::max_field_path_length characters
  std::string category;    // modules, cluster, …, system
  Severity severity = Severity::low;
  std::optional<std::string> previous_value;  // JSON text; absent for create
  std::optional<std::string> current_value;   // JSON text; absent for delete
  bool significant = true;                    // only significant ones are stored
  std::string reason;                         // which rule decided that, for people
};

}  // namespace collect::diff
