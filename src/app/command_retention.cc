// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/commands.h"
#include "app/terminal.h"
#include "base/json.h"
#include "retention/pass.h"

namespace collect::app {
namespace {

// A system with records that are to go.
struct Found {
  std::string system_key;  // its id when it is in the records only
  SystemId system_id;
  std::uint64_t records = 0;
  std::span<const RecordId> expired;
};

struct Outcome {
  retention::Tally tally;
  std::optional<Failure> failure;  // it ended before its end
  double seconds = 0;
};

// Written while the pass goes on: a fleet's list may be longer than memory.
class JsonList {
 public:
  explicit JsonList(bool dry_run) { fmt::print("{{\"dry_run\":{},\"systems\":[", dry_run); }
  void add(const Found& found) {
    json::Writer writer;
    writer.begin_object().member("system_id", found.system_id.text()).member("system_key", found.system_key);
    writer.member("records", found.records).key("expired").begin_array();
    for (const RecordId id : found.expired) writer.value(static_cast<std::int64_t>(id));
    writer.end_array().end_object();
    fmt::print("{}\n{}", first_ ? "" : ",", writer.text());
    first_ = false;
  }
  static void end(const Outcome& outcome) {
    const auto& tally = outcome.tally;
    json::Writer writer;
    writer.begin_object().member("systems", tally.systems).member("records", tally.records);
    writer.member("removed", tally.removed).member("failed_systems", tally.failed);
    writer.member("resolved_alerts", tally.forgotten.resolved_alerts);
    writer.member("alert_history", tally.forgotten.alert_history);
    writer.member("deliveries", tally.forgotten.deliveries);
    writer.member("seconds", outcome.seconds).end_object();
    fmt::print("],\n\"total\":{},\"error\":{}}}\n", writer.text(),
               outcome.failure ? json::quote(outcome.failure->message) : "null");
  }

 private:
  bool first_ = true;
};

std::string total_text(const Outcome& outcome, bool dry_run) {
  const retention::Tally& tally = outcome.tally;
  auto out = fmt::format(
      "{} of {} records of {} systems {}, {} resolved alerts, {} rows of alert history, {} deliveries.\n",
      tally.removed, tally.records, tally.systems, dry_run ? "would go" : "went",
      tally.forgotten.resolved_alerts, tally.forgotten.alert_history, tally.forgotten.deliveries);
  out += fmt::format("It took {:.1f} s", outcome.seconds);
  if (tally.systems > 0) {
    out += fmt::format(", {:.1f} ms a system", outcome.seconds * 1000 / static_cast<double>(tally.systems));
  }
  out += ".\n";
  if (tally.failed > 0) {
    out += fmt::format("Records of {} systems could not be removed; the log says why.\n", tally.failed);
  }
  return out;
}

Outcome go_through(const backend::Stores& stores, Time now, bool dry_run,
                   const std::function<void(const Found&)>& tell) {
  std::optional<Failure> failure;
  const auto found = [&](const SystemId& system_id, std::uint64_t records,
                         std::span<const RecordId> expired) {
    const auto login = stores.systems.find(system_id.text());
    if (!login) failure = login.failure();
    const bool known = login && *login;
    tell({known ? (*login)->system.system_key : system_id.text(), system_id, records, expired});
  };
  using Mode = retention::Pass::Mode;
  retention::Pass pass(stores.retention,
                       [&](const SystemId& system_id, std::span<const RecordId> records) {
                         return stores.records.remove(system_id, records);
                       },
                       now, std::nullopt, {.mode = dry_run ? Mode::dry : Mode::sweep, .found = found});
  while (true) {
    const auto step = pass.step();
    if (!step) failure = step.failure();
    if (failure || *step == retention::Pass::Step::done) return {pass.tally(), failure};
  }
}

}  // namespace

Exit run_retention(const RetentionArguments& arguments) {
  auto opened = open_stores();
  if (!opened) return fail(opened.failure());
  std::optional<JsonList> list;
  if (arguments.json) list.emplace(arguments.dry_run);
  Table table({"system", "records", "would go"});
  bool any = false;
  const auto tell = [&](const Found& found) {
    any = true;
    if (list) return list->add(found);
    table.add({{found.system_key}, {std::to_string(found.records)}, {std::to_string(found.expired.size())}});
  };
  const auto begin = std::chrono::steady_clock::now();
  auto outcome = go_through(opened->engine->stores(), opened->clock->now(), arguments.dry_run, tell);
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (list) {
    list->end(outcome);
  } else {
    if (arguments.dry_run && any) fmt::print("{}\n", table.text());
    fmt::print("{}", total_text(outcome, arguments.dry_run));
  }
  if (outcome.failure) return fail(*outcome.failure);
  return outcome.tally.failed > 0 ? Exit::internal : Exit::ok;
}

}  // namespace collect::app
