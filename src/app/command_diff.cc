// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "app/commands.h"
#include "app/config_file.h"
#include "app/terminal.h"
#include "base/json.h"
#include "diff/differ.h"
#include "inventory/report.h"

namespace collect::app {
namespace {

constexpr std::size_t kPathWidth = 64;
constexpr std::size_t kValueWidth = 40;

// Read as the door would: what it refuses is refused here, with the file's name.
Result<json::Document> read_document(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return invalid(fmt::format("{} cannot be read", path));
  const std::string body = text.str();
  const auto report = inventory::read_report(body);
  if (!report) return invalid(fmt::format("{}: {}", path, report.failure().message));
  return json::Document::parse_checked(report->document);
}

std::string changes_json(const std::vector<diff::Change>& changes) {
  json::Writer writer;
  writer.begin_object().key("changes").begin_array();
  for (const diff::Change& change : changes) {
    writer.begin_object()
        .member("diff_type", diff::to_string(change.type))
        .member("field_path", change.field_path);
    writer.member("category", change.category).member("severity", diff::to_string(change.severity));
    writer.key("previous_value").raw(change.previous_value.value_or("null"));
    writer.key("current_value").raw(change.current_value.value_or("null"));
    writer.member("significant", change.significant).member("reason", change.reason).end_object();
  }
  writer.end_array().end_object();
  return std::move(writer).text();
}

std::string changes_table(const std::vector<diff::Change>& changes) {
  Table table({"told", "severity", "change", "category", "what", "before", "after", "because"});
  std::size_t told = 0;
  for (const diff::Change& change : changes) {
    const std::string_view severity = diff::to_string(change.severity);
    const auto cell = [&](std::string text, Colour colour = Colour::none) {
      return Table::Cell{std::move(text), change.significant ? colour : Colour::dim};
    };
    const auto value = [&](const std::optional<std::string>& v) {
      return cell(v ? short_value(*v, kValueWidth) : "", Colour::none);
    };
    if (change.significant) ++told;
    table.add({cell(change.significant ? "yes" : "no", Colour::green),
               cell(std::string(severity), severity_colour(severity)),
               cell(std::string(diff::to_string(change.type))), cell(change.category),
               cell(shortened(change.field_path, kPathWidth)), value(change.previous_value),
               value(change.current_value), cell(change.reason, Colour::dim)});
  }
  if (changes.empty()) return "No difference.\n";
  return table.text() + fmt::format("\n{} of {} differences would be told.\n", told, changes.size());
}

// What a whole report would tell and a partial one does not is held back.
void mark_held(std::vector<diff::Change>& changes, const std::vector<diff::Change>& told) {
  for (diff::Change& change : changes) {
    const bool is_told = std::any_of(told.begin(), told.end(), [&](const diff::Change& other) {
      return other.type == change.type && other.field_path == change.field_path;
    });
    if (is_told || !change.significant) continue;
    change.significant = false;
    change.reason = "partial_reports: held back until the next report confirms it";
  }
}

}  // namespace

Exit compare_files(const DiffArguments& arguments) {
  const auto settings = settings_of_process();
  if (!settings) return fail(settings.failure());
  const auto config = load_config(*settings);
  if (!config) return fail(config.failure());
  const auto previous = read_document(arguments.previous);
  if (!previous) return fail(previous.failure());
  const auto current = read_document(arguments.current);
  if (!current) return fail(current.failure());
  const auto compare = [&](diff::Partial partial) {
    return diff::compare(*config->rules, {.previous = previous->root(),
                                          .current = current->root(),
                                          .held = {},
                                          .last_changed = nullptr,
                                          .now = SystemClock().now(),
                                          .partial = partial})
        .changes;
  };
  std::vector<diff::Change> changes = compare(diff::Partial::report);
  if (arguments.partial) mark_held(changes, compare(diff::Partial::hold));
  fmt::print("{}", arguments.json ? changes_json(changes) + "\n" : changes_table(changes));
  return Exit::ok;
}

}  // namespace collect::app
