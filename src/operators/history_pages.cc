// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <limits>

#include "base/json.h"
#include "inventory/history_json.h"
#include "operators/answer.h"
#include "operators/cursor.h"
#include "operators/operators_api.h"

namespace collect::operators {
namespace {

using inventory::Date;
using inventory::DiffFilter;

constexpr std::string_view kRecordColumns[] = {
    "id",           "system_id",   "timestamp",    "sender_timestamp", "data_hash", "data_size",
    "processed_at", "has_changes", "change_count", "created_at",       "updated_at"};
constexpr std::string_view kDiffColumns[] = {
    "id",       "previous_id", "current_id",     "diff_type",     "field_path",
    "category", "severity",    "previous_value", "current_value", "created_at"};
constexpr std::string_view kDayColumns[] = {"date", "inventory_count", "change_count", "critical",
                                            "high", "medium",          "low",          "inventory_ids"};
constexpr std::int64_t kMostId = std::numeric_limits<std::int64_t>::max();

std::string date_text(Date date) {
  return to_rfc3339(Time(date)).substr(0, 10);
}

std::int64_t count_of(const inventory::Counts& counts, std::string_view word) {
  const auto found = counts.find(word);
  return found == counts.end() ? 0 : found->second;
}

std::string day_json(const inventory::Day& day) {
  json::Writer out;
  out.begin_object().member("date", date_text(day.date));
  out.member("inventory_count", static_cast<std::int64_t>(day.records.size()));
  out.member("change_count", day.changes);
  for (const char* severity : {"critical", "high", "medium", "low"}) {
    out.member(severity, count_of(day.by_severity, severity));
  }
  out.key("inventory_ids").begin_array();
  for (const RecordId id : day.records) out.value(static_cast<std::int64_t>(id));
  out.end_array().end_object();
  return std::move(out).text();
}

void write_counts(json::Writer& out, std::string_view name, const inventory::Counts& counts) {
  out.key(name).begin_object();
  for (const auto& [word, count] : counts) out.member(word, count);
  out.end_object();
}

inventory::TimeRange range_of(Parameters& parameters) {
  return {parameters.from("from_date"), parameters.to("to_date")};
}

}  // namespace

Result<Listing> OperatorsApi::list_records(Ask& ask) {
  const auto system = system_of(ask);
  if (!system) return system.failure();
  const SystemId id = system->id;
  const auto read = [this, id](const From& from, std::size_t limit) -> Result<std::vector<Item>> {
    inventory::RecordFilter page;
    if (from.cursor) {
      const auto before = read_cursor(*from.cursor);
      if (!before) return before.failure();
      page.before = RecordId{*before};
    }
    page.skip = from.skip;
    const auto records = sources_.history.records(id, page, limit);
    if (!records) return records.failure();
    std::vector<Item> items;
    for (const auto& record : *records) {
      items.push_back({inventory::record_json(record), cursor_of(static_cast<std::int64_t>(record.id))});
    }
    return items;
  };
  return Listing{"records", "inventories", kRecordColumns, read,
                 [this, id] { return sources_.tallies.count_records(id); }};
}

// The document is read only for those who do not have it: the record's hash says whether it is the same.
net::Response OperatorsApi::record_response(const Ask& ask, const inventory::Record& record) {
  const std::string etag = etag_of(inventory::record_json(record));
  if (has_already(ask.head, etag)) return not_modified(etag);
  const auto document = sources_.history.document(record.id);
  if (!document) return failed(ask.head, document.failure());
  if (!*document) return failed(ask.head, not_found("this inventory is no longer kept"));
  return tagged(net::envelope(200, "inventory", inventory::record_json(record, **document)), etag);
}

Result<net::Response> OperatorsApi::show_latest_record(Ask& ask) {
  const auto system = system_of(ask);
  if (!system) return system.failure();
  if (auto done = ask.parameters.done(); !done) return done.failure();
  const auto record = sources_.history.latest(system->id);
  if (!record) return record.failure();
  if (!*record) return not_found("this system has sent no inventory yet");
  return record_response(ask, **record);
}

Result<net::Response> OperatorsApi::show_record(Ask& ask) {
  const auto system = system_of(ask);
  if (!system) return system.failure();
  if (auto done = ask.parameters.done(); !done) return done.failure();
  const auto id = read_id(ask.head.params.at(1));
  if (!id) {
    return invalid(
        fmt::format("expected an inventory's number, or latest, timeline, diffs or changes, got \"{}\"",
                    net::shown(ask.head.params.at(1))));
  }
  const auto record = sources_.history.record(system->id, RecordId{*id});
  if (!record) return record.failure();
  if (!*record) return not_found(fmt::format("this system has no inventory {}", *id));
  return record_response(ask, **record);
}

Result<Listing> OperatorsApi::list_days(Ask& ask) {
  const auto system = system_of(ask);
  if (!system) return system.failure();
  const SystemId id = system->id;
  const auto range = range_of(ask.parameters);
  const auto read = [this, id, range](const From& from, std::size_t limit) -> Result<std::vector<Item>> {
    inventory::DayStart start;
    start.skip = from.skip;
    if (from.cursor) {
      const auto before = parse_rfc3339(*from.cursor + "T00:00:00Z");
      if (!before) return invalid("cursor: expected what next_cursor said");
      start.before = std::chrono::floor<std::chrono::days>(*before);
    }
    const auto days = sources_.tallies.days(id, range, start, limit);
    if (!days) return days.failure();
    std::vector<Item> items;
    for (const auto& day : *days) items.push_back({day_json(day), date_text(day.date)});
    return items;
  };
  Listing listing{"days", "timeline", kDayColumns, read,
                  [this, id, range] { return sources_.tallies.count_days(id, range); }};
  listing.ends_early = true;
  return listing;
}

Listing OperatorsApi::diffs_of(const SystemId& system_id, const DiffFilter& filter) {
  const auto read = [this, system_id, filter](const From& from,
                                              std::size_t limit) -> Result<std::vector<Item>> {
    DiffFilter page = filter;
    if (from.cursor) {
      const auto before = read_cursor(*from.cursor);
      if (!before) return before.failure();
      page.before = DiffId{*before};
    }
    page.skip = from.skip;
    const auto diffs = sources_.history.diffs(system_id, page, limit);
    if (!diffs) return diffs.failure();
    std::vector<Item> items;
    for (const auto& diff : *diffs) {
      items.push_back({inventory::diff_json(diff), cursor_of(static_cast<std::int64_t>(diff.id))});
    }
    return items;
  };
  return {"diffs", "changes", kDiffColumns, read,
          [this, system_id, filter] { return sources_.tallies.count_diffs(system_id, filter); }};
}

Result<Listing> OperatorsApi::list_diffs(Ask& ask) {
  const auto system = system_of(ask);
  if (!system) return system.failure();
  DiffFilter filter;
  filter.severity = ask.parameters.word("severity", {"low", "medium", "high", "critical"});
  filter.category = ask.parameters.text("category", 64);
  filter.diff_type = ask.parameters.word("diff_type", {"create", "update", "delete"});
  if (const auto id = ask.parameters.number("inventory_id", 1, kMostId)) filter.current_id = RecordId{*id};
  filter.from = ask.parameters.from("from_date");
  filter.to = ask.parameters.to("to_date");
  filter.search = ask.parameters.text("search");
  return diffs_of(system->id, filter);
}

// Of the newest inventory that changed anything. Where retention took that, its diffs are known by their
// time.
Result<Listing> OperatorsApi::list_latest_diffs(Ask& ask) {
  const auto system = system_of(ask);
  if (!system) return system.failure();
  const auto newest = sources_.history.diffs(system->id, {}, 1);
  if (!newest) return newest.failure();
  DiffFilter filter;
  std::optional<inventory::Record> record;
  if (!newest->empty()) {
    const auto& diff = newest->front();
    filter.current_id = diff.current_id;
    filter.from = diff.created_at;
    filter.to = diff.created_at + Duration(1);
    if (diff.current_id) {
      auto found = sources_.history.record(system->id, *diff.current_id);
      if (!found) return found.failure();
      record = *std::move(found);
    }
  }
  Listing listing = diffs_of(system->id, filter);
  listing.more = fmt::format("\"record\":{},", record ? inventory::record_json(*record) : "null");
  return listing;
}

Result<net::Response> OperatorsApi::show_changes(Ask& ask) {
  const auto system = system_of(ask);
  if (!system) return system.failure();
  const auto range = range_of(ask.parameters);
  if (auto done = ask.parameters.done(); !done) return done.failure();
  const auto tally = sources_.tallies.tally(system->id, range);
  if (!tally) return tally.failure();
  const auto text = [](const std::optional<Time>& time) {
    return time ? std::optional(to_rfc3339(*time)) : std::nullopt;
  };
  json::Writer out;
  out.begin_object().member("system_id", system->id.text()).member("system_key", system->system_key);
  out.member("last_inventory_at", text(system->last_inventory_at));
  out.member("last_change_at", text(tally->newest));
  out.member("from_date", text(range.from)).member("to_date", text(range.to));
  out.member("change_count", tally->changes.count).member("change_count_exact", tally->changes.exact);
  write_counts(out, "by_severity", tally->by_severity);
  write_counts(out, "by_category", tally->by_category);
  write_counts(out, "by_type", tally->by_type);
  out.end_object();
  return found(ask.head, "changes in numbers", out.text());
}

}  // namespace collect::operators
