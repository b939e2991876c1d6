// SPDX-License-Identifier: Apache-2.0
#include "alerts/alert_json.h"

namespace collect::alerts {
namespace {

void write_members(json::Writer& writer, const ListedAlert& listed) {
  const Alert& alert = listed.alert;
  const auto time = [](const std::optional<Time>& at) {
    return at ? std::optional(to_rfc3339(*at)) : std::nullopt;
  };
  const auto text = [](const std::string& value) {
    return value.empty() ? std::nullopt : std::optional(value);
  };
  writer.begin_object().member("id", static_cast<std::int64_t>(alert.id));
  writer.member("system_id", alert.system_id.text()).member("system_key", listed.system_key);
  writer.member("system_name", text(listed.system_name)).key("diff_id");
  alert.diff_id ? writer.value(static_cast<std::int64_t>(*alert.diff_id)) : writer.value(nullptr);
  writer.member("rule", text(alert.rule)).member("alert_type", alert.alert_type);
  writer.member("message", alert.message).member("severity", diff::to_string(alert.severity));
  writer.member("is_resolved", alert.is_resolved).member("resolved_at", time(alert.resolved_at));
  writer.member("created_at", to_rfc3339(alert.created_at))
      .member("updated_at", to_rfc3339(alert.updated_at));
  writer.member("field_path", text(alert.field_path));
}

}  // namespace

void write(json::Writer& writer, const ListedAlert& listed) {
  write_members(writer, listed);
  writer.end_object();
}

void write(json::Writer& writer, const ShownAlert& shown) {
  write_members(writer, shown);
  writer.member("diff_type", shown.type ? std::optional(diff::to_string(*shown.type)) : std::nullopt);
  writer.key("previous_value").raw(shown.previous_value.value_or("null"));
  writer.key("current_value").raw(shown.current_value.value_or("null")).end_object();
}

std::string alert_json(const ListedAlert& listed) {
  json::Writer writer;
  write(writer, listed);
  return std::move(writer).text();
}

}  // namespace collect::alerts
