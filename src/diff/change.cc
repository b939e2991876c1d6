// SPDX-License-Identifier: Apache-2.0
#include "diff/change.h"

namespace collect::diff {

std::string_view to_string(ChangeType type) {
  switch (type) {
    case ChangeType::create:
      return "create";
    case ChangeType::update:
      return "update";
    case ChangeType::delete_:
      return "delete";
  }
  return "update";
}

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::low:
      return "low";
    case Severity::medium:
      return "medium";
    case Severity::high:
      return "high";
    case Severity::critical:
      return "critical";
  }
  return "low";
}

std::optional<ChangeType> parse_change_type(std::string_view word) {
  for (const auto type : {ChangeType::create, ChangeType::update, ChangeType::delete_}) {
    if (word == to_string(type)) return type;
  }
  return std::nullopt;
}

std::optional<Severity> parse_severity(std::string_view word) {
  for (const auto severity : {Severity::low, Severity::medium, Severity::high, Severity::critical}) {
    if (word == to_string(severity)) return severity;
  }
  return std::nullopt;
}

}  // namespace collect::diff
