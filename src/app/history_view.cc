// SPDX-License-Identifier: Apache-2.0
#include "app/history_view.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <vector>

#include "app/terminal.h"
#include "base/json.h"
#include "inventory/history_json.h"

namespace collect::app {
namespace {

using inventory::Diff;
using inventory::Record;

constexpr std::size_t kPathWidth = 64;
constexpr std::size_t kValueWidth = 32;

std::string to_seconds(Time time) {
  return to_rfc3339(time).substr(0, 19) + "Z";
}

Table::Cell type_cell(const Diff& diff) {
  const Colour colour = diff.diff_type == "create"   ? Colour::green
                        : diff.diff_type == "delete" ? Colour::red
                                                     : Colour::none;
  return {diff.diff_type, colour};
}

// "8.7.1 → 8.7.2"; of something new or gone only its value.
std::string value_words(const Diff& diff) {
  const auto words = [](const std::optional<std::string>& value) {
    return value ? short_value(*value, kValueWidth) : std::string();
  };
  if (diff.diff_type == "create") return words(diff.current_value);
  if (diff.diff_type == "delete") return words(diff.previous_value);
  return words(diff.previous_value) + " → " + words(diff.current_value);
}

struct Day {
  std::vector<const Diff*> diffs;
  std::set<std::int64_t> inventories;
  std::map<std::string_view, int> by_severity;
};

// Newest day first.
std::map<std::string, Day, std::greater<>> by_day(std::span<const Diff> diffs) {
  std::map<std::string, Day, std::greater<>> days;
  for (const Diff& diff : diffs) {
    Day& day = days[to_rfc3339(diff.created_at).substr(0, 10)];
    day.diffs.push_back(&diff);
    if (diff.current_id) day.inventories.insert(static_cast<std::int64_t>(*diff.current_id));
    ++day.by_severity[diff.severity];
  }
  return days;
}

}  // namespace

std::string records_table(std::span<const Record> records) {
  Table table({"id", "received", "bytes", "changes", "state", "hash"});
  for (const Record& record : records) {
    table.add({{std::to_string(static_cast<std::int64_t>(record.id))},
               {to_seconds(record.timestamp)},
               {std::to_string(record.size_bytes)},
               {std::to_string(record.change_count)},
               {record.processed_at ? "compared" : "waiting"},
               {record.hash.substr(0, 12), Colour::dim}});
  }
  return table.text();
}

std::string records_json(std::span<const Record> records) {
  json::Writer writer;
  writer.begin_array();
  for (const Record& record : records) writer.raw(inventory::record_json(record));
  writer.end_array();
  return std::move(writer).text();
}

std::string diffs_table(std::span<const Diff> diffs) {
  Table table({"id", "when", "severity", "change", "category", "what", "value"});
  for (const Diff& diff : diffs) {
    table.add({{std::to_string(static_cast<std::int64_t>(diff.id))},
               {to_seconds(diff.created_at)},
               {diff.severity, severity_colour(diff.severity)},
               type_cell(diff),
               {diff.category},
               {shortened(diff.field_path, kPathWidth)},
               {value_words(diff)}});
  }
  return table.text();
}

std::string diffs_json(std::span<const Diff> diffs) {
  json::Writer writer;
  writer.begin_array();
  for (const Diff& diff : diffs) writer.raw(inventory::diff_json(diff));
  writer.end_array();
  return std::move(writer).text();
}

std::string timeline_text(const systems::System& system, std::span<const Diff> diffs) {
  std::string out =
      fmt::format("{}  {}  {}\n", system.system_key, system.name.empty() ? "(no name yet)" : system.name,
                  coloured(system.type.value_or("") + " " + system.version.value_or(""), Colour::dim));
  for (const auto& [date, day] : by_day(diffs)) {
    out += fmt::format("\n{}  {} change{} in {} inventor{}\n", date, day.diffs.size(),
                       day.diffs.size() == 1 ? "" : "s", day.inventories.size(),
                       day.inventories.size() == 1 ? "y" : "ies");
    Table table({});
    for (const Diff* diff : day.diffs) {
      table.add({{to_rfc3339(diff->created_at).substr(11, 8), Colour::dim},
                 {diff->severity, severity_colour(diff->severity)},
                 type_cell(*diff),
                 {shortened(diff->field_path, kPathWidth)},
                 {value_words(*diff)}});
    }
    out += table.text("  ");
  }
  if (diffs.empty())
    out += "\nNothing changed yet: the first inventory is what later ones are compared with.\n";
  return out;
}

std::string timeline_json(std::span<const Diff> diffs) {
  json::Writer writer;
  writer.begin_array();
  for (const auto& [date, day] : by_day(diffs)) {
    writer.begin_object()
        .member("date", date)
        .member("change_count", static_cast<std::int64_t>(day.diffs.size()));
    writer.key("inventory_ids").begin_array();
    for (const std::int64_t id : day.inventories) writer.value(id);
    writer.end_array();
    for (const char* severity : {"critical", "high", "medium", "low"}) {
      const auto found = day.by_severity.find(severity);
      writer.member(severity, found == day.by_severity.end() ? 0 : found->second);
    }
    writer.key("changes").begin_array();
    for (const Diff* diff : day.diffs) writer.raw(inventory::diff_json(*diff));
    writer.end_array().end_object();
  }
  writer.end_array();
  return std::move(writer).text();
}

}  // namespace collect::app
