// SPDX-License-Identifier: Apache-2.0
#include "inventory/history_json.h"

#include "base/json.h"

namespace collect::inventory {
namespace {

template <class Id>
std::optional<std::int64_t> number_of(const std::optional<Id>& id) {
  return id ? std::optional(static_cast<std::int64_t>(*id)) : std::nullopt;
}

std::optional<std::string> text_of(const std::optional<Time>& time) {
  return time ? std::optional(to_rfc3339(*time)) : std::nullopt;
}

void write_members(json::Writer& writer, const Record& record) {
  writer.member("id", static_cast<std::int64_t>(record.id)).member("system_id", record.system_id.text());
  writer.member("timestamp", to_rfc3339(record.timestamp))
      .member("sender_timestamp", text_of(record.sender_time));
  writer.member("data_hash", record.hash).member("data_size", record.size_bytes);
  writer.member("processed_at", text_of(record.processed_at)).member("has_changes", record.has_changes);
  writer.member("change_count", record.change_count).member("created_at", to_rfc3339(record.created_at));
  writer.member("updated_at", to_rfc3339(record.updated_at));
}

}  // namespace

std::string record_json(const Record& record) {
  json::Writer writer;
  writer.begin_object();
  write_members(writer, record);
  writer.end_object();
  return std::move(writer).text();
}

std::string record_json(const Record& record, std::string_view document) {
  json::Writer writer;
  writer.begin_object();
  write_members(writer, record);
  writer.key("data").raw(document).end_object();
  return std::move(writer).text();
}

std::string diff_json(const Diff& diff) {
  json::Writer writer;
  writer.begin_object().member("id", static_cast<std::int64_t>(diff.id));
  writer.member("previous_id", number_of(diff.previous_id)).member("current_id", number_of(diff.current_id));
  writer.member("diff_type", diff.diff_type).member("field_path", diff.field_path);
  writer.member("category", diff.category).member("severity", diff.severity);
  writer.key("previous_value").raw(diff.previous_value.value_or("null"));
  writer.key("current_value").raw(diff.current_value.value_or("null"));
  writer.member("created_at", to_rfc3339(diff.created_at)).end_object();
  return std::move(writer).text();
}

}  // namespace collect::inventory
