// SPDX-License-Identifier: Apache-2.0
#include "alerts/auto_resolve.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/json.h"

namespace collect::alerts {
namespace {

// What `rest` of a path leads to within a value; keys may contain dots. Elements of lists are not looked for:
// what they are called is the differ's knowledge.
const json::Value* value_at(const json::Value& value, std::string_view rest) {
  for (const auto& [key, member] : value.members) {
    if (rest == key) return &member;
    if (!lies_in(rest, key)) continue;
    if (const auto* found = value_at(member, rest.substr(key.size() + 1))) return found;
  }
  return nullptr;
}

// One change, and what it left behind.
class Change {
 public:
  explicit Change(const StoredDiff& diff) : diff_(diff) {}

  bool undoes(const OpenAlert& alert) {
    using enum diff::ChangeType;
    if (!lies_in(alert.field_path, diff_.field_path)) return false;
    if (alert.type == create) return diff_.type == delete_;
    if (diff_.type == delete_) return false;
    if (alert.type == delete_ && alert.field_path == diff_.field_path) return true;
    const json::Value* now = value_of(alert.field_path);
    if (now == nullptr || alert.type == delete_) return now != nullptr;
    const auto before = parsed(alert.previous_value);
    return before && json::equal(before->root(), *now);
  }

 private:
  static std::optional<json::Document> parsed(const std::optional<std::string>& text) {
    if (!text) return std::nullopt;
    auto document = json::Document::parse_checked(*text);
    return document ? std::optional(*std::move(document)) : std::nullopt;
  }

  const json::Value* value_of(std::string_view path) {
    if (!read_) {
      current_ = parsed(diff_.current_value);
      read_ = true;
    }
    if (!current_) return nullptr;
    if (path == diff_.field_path) return &current_->root();
    return value_at(current_->root(), path.substr(diff_.field_path.size() + 1));
  }

  const StoredDiff& diff_;
  std::optional<json::Document> current_;  // parsed when it is first needed
  bool read_ = false;
};

}  // namespace

std::vector<AlertId> ended_by(const StoredDiff& diff, std::span<const OpenAlert> open) {
  Change change(diff);
  std::vector<std::string_view> undone;  // places
  std::vector<AlertId> ended;
  for (const OpenAlert& alert : open) {
    const bool is_step = std::any_of(undone.begin(), undone.end(), [&](std::string_view place) {
      return lies_in(alert.field_path, place);
    });
    if (!is_step && !change.undoes(alert)) continue;
    if (!is_step) undone.push_back(alert.field_path);
    ended.push_back(alert.id);
  }
  return ended;
}

}  // namespace collect::alerts
