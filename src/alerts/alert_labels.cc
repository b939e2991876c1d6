// SPDX-License-Identifier: Apache-2.0
#include "alerts/alert_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/json.h"
#include "base/utf8.h"

namespace collect::alerts {
namespace {

constexpr std::size_t kMaxValueBytes = 300;
constexpr std::size_t kMaxListed = 8;     // elements or members of a value shown in a row
constexpr std::size_t kMaxMembers = 100;  // of an object, as labels of their own
constexpr std::string_view kMark = "…";

// At most `bytes` of it, whole characters, with a mark where something is missing.
std::string shortened(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  std::size_t end = 0;
  while (end < text.size()) {
    const auto length = std::max<std::size_t>(utf8_length(text.substr(end)), 1);
    if (end + length > bytes - kMark.size()) break;
    end += length;
  }
  return std::string(text.substr(0, end)).append(kMark);
}

std::string scalar_text(const json::Value& value) {
  if (value.is_null()) return "null";
  if (value.type == json::Type::boolean) return value.boolean ? "true" : "false";
  return std::string(value.text);
}

std::string listed(const std::vector<std::string>& shown, std::size_t total) {
  if (total == 0) return "none";
  if (shown.empty()) return total == 1 ? "1 entry" : fmt::format("{} entries", total);
  const auto more = total - shown.size();
  return fmt::format("{}{}", fmt::join(shown, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

// Lists of scalars and the scalars of objects are shown, what is deeper is counted.
std::string readable(const json::Value& value) {
  if (!value.is_container()) return scalar_text(value);
  std::vector<std::string> shown;
  for (const json::Value& element : value.elements) {
    if (element.is_container()) return listed({}, value.elements.size());
    if (shown.size() < kMaxListed) shown.push_back(scalar_text(element));
  }
  for (const auto& [key, member] : value.members) {
    if (!member.is_container() && shown.size() < kMaxListed)
      shown.push_back(fmt::format("{} {}", key, scalar_text(member)));
  }
  return listed(shown, value.elements.size() + value.members.size());
}

void add_value(templates::Values& labels, const std::string& side,
               const std::optional<json::Document>& value) {
  labels[side] = value ? shortened(readable(value->root()), kMaxValueBytes) : "";
  if (!value) return;
  std::size_t count = 0;
  for (const auto& [key, member] : value->root().members) {
    if (member.is_container()) continue;
    if (++count > kMaxMembers) break;
    labels[fmt::format("{}_{}", side, key)] = shortened(scalar_text(member), kMaxValueBytes);
  }
}

std::optional<json::Document> parsed(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  auto document = json::Document::parse_checked(*text);
  if (!document) return std::nullopt;
  return *std::move(document);
}

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  for (std::size_t start = 0; start <= path.size();) {
    const auto end = std::min(path.find('.', start), path.size());
    segments.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return segments;
}

// The kind of thing that `facts.nodes` and `facts.modules` hold by name; empty for other places.
std::string_view kind_in(const std::vector<std::string_view>& segments) {
  if (segments.size() < 3 || segments[0] != "facts") return "";
  return segments[1] == "nodes" ? "node" : segments[1] == "modules" ? "module" : "";
}

// "facts.nodes.2.distro.version" as "node 2 / distro / version".
std::string what(std::string_view path) {
  if (path == "*") return "many values";
  auto segments = segments_of(path);
  std::vector<std::string> words;
  std::size_t next = 0;
  if (const auto kind = kind_in(segments); !kind.empty()) {
    words.push_back(fmt::format("{} {}", kind, segments[2]));
    next = 3;
  } else {
    if (segments[next] == "facts") ++next;
    if (next < segments.size() && segments[next] == "features") ++next;
  }
  for (; next < segments.size(); ++next) {
    std::string word(segments[next]);
    std::replace(word.begin(), word.end(), '_', ' ');
    words.push_back(std::move(word));
  }
  return words.empty() || path == "$" ? "the whole inventory" : fmt::format("{}", fmt::join(words, " / "));
}

// The key that `path` names a node or module by, with what people call it: "2 (Worker)".
void add_name(templates::Values& labels, std::string_view path, std::string_view side) {
  const auto segments = segments_of(path);
  const std::string kind(kind_in(segments));
  if (kind.empty()) return;
  const std::string key(segments[2]);
  labels[kind] = key;
  auto& name = labels[kind + "_name"];
  name = key;
  if (segments.size() > 3) return;  // the value is but a part of it and tells no name
  for (const auto* member : {"ui_name", "name", "fqdn"}) {
    const auto found = labels.find(fmt::format("{}_{}", side, member));
    if (found == labels.end() || found->second.empty() || found->second == key) continue;
    name = fmt::format("{} ({})", key, found->second);
    return;
  }
}

std::string text_of(const templates::Values& labels, std::string_view name) {
  const auto found = labels.find(name);
  return found == labels.end() ? "" : found->second;
}

}  // namespace

templates::Values system_labels(const systems::System& system) {
  const auto& organization = system.organization;
  return {
      {"system_id", system.id.text()},
      {"system_key", system.system_key},
      {"system_name", system.name.empty() ? system.system_key : system.name},
      {"system_type", system.type.value_or("")},
      {"system_fqdn", system.fqdn.value_or("")},
      {"organization_id", system.organization_id.text()},
      {"organization_name", organization.name.empty() ? system.organization_id.text() : organization.name},
  };
}

templates::Values alert_labels(const systems::System& system, const StoredDiff& diff) {
  auto labels = system_labels(system);
  labels["path"] = diff.field_path;
  labels["what"] = what(diff.field_path);
  labels["category"] = diff.category;
  labels["severity"] = diff::to_string(diff.severity);
  labels["change_type"] = diff::to_string(diff.type);
  add_value(labels, "previous", parsed(diff.previous_value));
  add_value(labels, "current", parsed(diff.current_value));
  add_name(labels, diff.field_path, diff.current_value ? "current" : "previous");
  return labels;
}

std::string plain_sentence(const templates::Values& labels) {
  auto subject = text_of(labels, "what");
  if (!subject.empty() && subject[0] >= 'a' && subject[0] <= 'z') subject[0] -= 'a' - 'A';
  const auto system = text_of(labels, "system_name");
  const auto previous = text_of(labels, "previous");
  const auto current = text_of(labels, "current");
  const auto type = text_of(labels, "change_type");
  if (type == "create") return fmt::format("{} is new on {}: {}", subject, system, current);
  if (type == "delete") return fmt::format("{} is gone from {}, it was {}", subject, system, previous);
  return previous.empty() ? fmt::format("{} changed on {}: {}", subject, system, current)
                          : fmt::format("{} changed on {} from {} to {}", subject, system, previous, current);
}

std::string flapping_sentence(const templates::Values& labels) {
  const auto type = text_of(labels, "change_type");
  const auto current = text_of(labels, "current");
  // An object has labels of its own for what is in it: nobody reads all of that in a sentence.
  const auto member = labels.lower_bound("current_");
  const bool is_object = member != labels.end() && member->first.starts_with("current_");
  std::string now;
  if (type == "create") {
    now = ", now it is there";
  } else if (type == "delete") {
    now = ", now it is gone";
  } else if (!is_object && !current.empty()) {
    now = ", now to " + current;
  }
  return fmt::format("{}: {} keeps changing, {} times within {} hours{}", text_of(labels, "system_name"),
                     text_of(labels, "what"), text_of(labels, "occurrences"), text_of(labels, "window_hours"),
                     now);
}

std::string as_message(std::string_view text) {
  std::string line;
  bool space = false;
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    if (code <= 0x20 || code == 0x7F) {  // line ends and whatever else would spoil a line
      space = !line.empty();
      continue;
    }
    if (space) line += ' ';
    space = false;
    line += byte;
  }
  return shortened(line, kMaxMessageBytes);
}

}  // namespace collect::alerts
