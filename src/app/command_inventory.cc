// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "app/commands.h"
#include "app/history_view.h"
#include "base/json.h"
#include "inventory/history_json.h"

namespace collect::app {
namespace {

constexpr std::size_t kPage = 1000;

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

// Newest first, in pages, so that `--all` asks no unbounded question.
Result<std::vector<inventory::Diff>> read_diffs(backend::Stores& stores, const systems::System& system,
                                                const InventoryArguments& arguments) {
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

Exit diffs(const InventoryArguments& arguments, bool by_day) {
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

}  // namespace

Exit show_latest(const InventoryArguments& arguments) {
  return with_system(arguments.key, [&](backend::Stores& stores, const systems::System& system) {
    const auto record = stores.history.latest(system.id);
    if (!record) return fail(record.failure());
    if (!*record) return fail(not_found(fmt::format("{} has sent no inventory yet", system.system_key)));
    const auto document = stores.history.document((*record)->id);
    if (!document) return fail(document.failure());
    const std::string text = document->value_or("null");
    if (arguments.json) {
      fmt::print("{}\n", inventory::record_json(**record, text));
    } else {
      const inventory::Record records[] = {**record};
      fmt::print("{}\n{}\n", records_table(records), text);
    }
    return Exit::ok;
  });
}

Exit show_history(const InventoryArguments& arguments) {
  return with_system(arguments.key, [&](backend::Stores& stores, const systems::System& system) {
    std::vector<inventory::Record> records;
    inventory::RecordFilter filter;
    while (arguments.all || records.size() < arguments.limit) {
      const std::size_t wanted = arguments.all ? kPage : std::min(kPage, arguments.limit - records.size());
      const auto page = stores.history.records(system.id, filter, wanted);
      if (!page) return fail(page.failure());
      records.insert(records.end(), page->begin(), page->end());
      if (page->size() < wanted) break;
      filter.before = page->back().id;
    }
    fmt::print("{}", arguments.json ? records_json(records) + "\n" : records_table(records));
    return Exit::ok;
  });
}

Exit show_timeline(const InventoryArguments& arguments) {
  return diffs(arguments, true);
}

Exit show_diffs(const InventoryArguments& arguments) {
  return diffs(arguments, false);
}

}  // namespace collect::app
