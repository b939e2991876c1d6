// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "app/commands.h"
#include "app/history_view.h"
#include "base/json.h"

namespace collect::app {
namespace {

constexpr std::size_t kPage = 1000;

struct Arguments {
  std::string key;
  std::size_t limit = 50;
  bool all = false;
  bool json = false;
  std::string severity;
  std::string category;
};

using Use = std::function<Exit(backend::Stores&, const systems::System&)>;

Exit with_system(const std::string& key, const Use& use) {
  auto opened = open_stores();
  if (!opened) return fail(opened.failure());
  backend::Stores stores = opened->engine->stores();
  const auto found = stores.systems.find(key);
  if (!found) return fail(found.failure());
  if (!*found) {
    return fail(
        not_found(fmt::format("there is no system {}: collect system list shows them", json::quote(key))));
  }
  return use(stores, (*found)->system);
}

Exit latest(const Arguments& arguments) {
  return with_system(arguments.key, [&](backend::Stores& stores, const systems::System& system) {
    const auto record = stores.history.latest(system.id);
    if (!record) return fail(record.failure());
    if (!*record) return fail(not_found(fmt::format("{} has sent no inventory yet", system.system_key)));
    const auto document = stores.history.document((*record)->id);
    if (!document) return fail(document.failure());
    const std::string text = document->value_or("null");
    if (arguments.json) {
      fmt::print("{}\n", record_json(**record, text));
    } else {
      const inventory::Record records[] = {**record};
      fmt::print("{}\n{}\n", records_table(records), text);
    }
    return Exit::ok;
  });
}

Exit history(const Arguments& arguments) {
  return with_system(arguments.key, [&](backend::Stores& stores, const systems::System& system) {
    std::vector<inventory::Record> records;
    std::optional<RecordId> before;
    while (arguments.all || records.size() < arguments.limit) {
      const std::size_t wanted = arguments.all ? kPage : std::min(kPage, arguments.limit - records.size());
      const auto page = stores.history.records(system.id, before, wanted);
      if (!page) return fail(page.failure());
      records.insert(records.end(), page->begin(), page->end());
      if (page->size() < wanted) break;
      before = page->back().id;
    }
    fmt::print("{}", arguments.json ? records_json(records) + "\n" : records_table(records));
    return Exit::ok;
  });
}

// Newest first, in pages, so that `--all` asks no unbounded question.
Result<std::vector<inventory::Diff>> read_diffs(backend::Stores& stores, const systems::System& system,
                                                const Arguments& arguments) {
  std::vector<inventory::Diff> out;
  inventory::DiffFilter filter;
  if (!arguments.severity.empty()) filter.severity = arguments.severity;
  if (!arguments.category.empty()) filter.category = arguments.category;
  while (arguments.all || out.size() < arguments.limit) {
    const std::size_t wanted = arguments.all ? kPage : std::min(kPage, arguments.limit - out.size());
    auto page = stores.history.diffs(system.id, filter, wanted);
    if (!page) return page;
    const bool last = page->size() < wanted;
    std::move(page->begin(), page->end(), std::back_inserter(out));
    if (last) break;
    filter.before = out.back().id;
  }
  return out;
}

Exit diffs(const Arguments& arguments, bool by_day) {
  return with_system(arguments.key, [&](backend::Stores& stores, const systems::System& system) {
    const auto found = read_diffs(stores, system, arguments);
    if (!found) return fail(found.failure());
    if (arguments.json) {
      fmt::print("{}\n", by_day ? timeline_json(*found) : diffs_json(*found));
    } else {
      fmt::print("{}", by_day ? timeline_text(system, *found) : diffs_table(*found));
    }
    return Exit::ok;
  });
}

CLI::App* add(CLI::App& parent, Action& action, const std::string& name, const std::string& text,
              const std::shared_ptr<Arguments>& arguments, std::function<Exit(const Arguments&)> run) {
  auto* command = parent.add_subcommand(name, text);
  command->add_option("system", arguments->key, "system_key or id")->required();
  command->add_flag("--json", arguments->json, "For programs");
  command->callback(
      [&action, arguments, run = std::move(run)] { action = [arguments, run] { return run(*arguments); }; });
  return command;
}

void add_limits(CLI::App& command, Arguments& arguments) {
  command.add_option("--limit", arguments.limit, "How many, newest first")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_flag("--all", arguments.all, "All of them");
}

void add_filters(CLI::App& command, Arguments& arguments) {
  command.add_option("--severity", arguments.severity, "Only these")
      ->check(CLI::IsMember({"low", "medium", "high", "critical"}));
  command.add_option("--category", arguments.category, "Only these");
}

}  // namespace

void add_inventory(CLI::App& parent, Action& action) {
  auto* inventory = parent.add_subcommand("inventory", "What a system reported, and what changed");
  inventory->require_subcommand(1);
  auto arguments = std::make_shared<Arguments>();
  add(*inventory, action, "latest", "The latest inventory", arguments, latest);
  add_limits(*add(*inventory, action, "history", "The stored inventories", arguments, history), *arguments);
  auto* timeline = add(*inventory, action, "timeline", "What changed, by day", arguments,
                       [](const Arguments& a) { return diffs(a, true); });
  add_limits(*timeline, *arguments);
  add_filters(*timeline, *arguments);
  auto* list = add(*inventory, action, "diffs", "What changed, one by one", arguments,
                   [](const Arguments& a) { return diffs(a, false); });
  add_limits(*list, *arguments);
  add_filters(*list, *arguments);
}

}  // namespace collect::app
