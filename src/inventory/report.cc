// SPDX-License-Identifier: Apache-2.0
#include "inventory/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"

namespace collect::inventory {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool is_empty_object(std::string_view object) {
  return object.find_first_not_of(kSpace, 1) == object.size() - 1;
}

bool is_envelope_key(std::string_view key) {
  return key == "system_id" || key == "timestamp" || key == "data";
}

// Most bodies are raw inventories; their first key tells without reading the rest.
bool may_be_envelope(std::string_view object) {
  const std::size_t quote = object.find('"');
  if (quote == std::string_view::npos) return false;
  const std::string_view rest = object.substr(quote + 1);
  return rest.starts_with('\\') || is_envelope_key(rest.substr(0, rest.find('"'))) ||
         rest.substr(0, rest.find('"')).find('\\') != std::string_view::npos;
}

std::string_view kind_of(std::string_view value) {
  switch (value.front()) {
    case '[':
      return "an array";
    case '"':
      return "a string";
    case 't':
    case 'f':
      return "a boolean";
    case 'n':
      return "null";
    default:
      return "a number";
  }
}

Result<Time> sender_time(std::string_view raw) {
  const auto document = json::Document::parse(raw);
  if (!document || !document->root().is_string()) {
    return invalid("timestamp: expected a text like \"2026-01-02T03:04:05Z\"");
  }
  auto time = parse_rfc3339(document->root().text);
  if (!time) return invalid("timestamp: " + time.failure().message);
  return time;
}

}  // namespace

Result<Report> read_report(std::string_view body) {
  const std::string_view text = trimmed(body);
  if (text.empty()) return invalid("the body is empty, expected an inventory (a JSON object)");
  if (auto checked = json::check(body); !checked) return invalid("inventory: " + checked.failure().message);
  if (text.front() != '{') {
    return invalid(fmt::format("expected an inventory (a JSON object), got {}", kind_of(text)));
  }
  if (is_empty_object(text)) return invalid("the inventory is empty: {} says nothing about a system");

  Report report{text, std::nullopt};
  if (!may_be_envelope(text)) return report;
  const auto members = json::raw_members(text);
  if (!members) return members.failure();
  const bool only_envelope_keys =
      std::all_of(members->begin(), members->end(), [](const auto& m) { return is_envelope_key(m.key); });
  // Of duplicated keys the last one wins, here as everywhere.
  const auto last = [&](std::string_view key) {
    return std::find_if(members->rbegin(), members->rend(), [&](const auto& m) { return m.key == key; });
  };
  const auto data = last("data");
  if (!only_envelope_keys || data == members->rend() || data->text.front() != '{') return report;

  if (is_empty_object(data->text)) return invalid("the inventory is empty: data is {}");
  report.document = data->text;
  if (const auto timestamp = last("timestamp"); timestamp != members->rend() && timestamp->text != "null") {
    const auto time = sender_time(timestamp->text);
    if (!time) return time.failure();
    report.sender_time = *time;
  }
  return report;
}

}  // namespace collect::inventory
