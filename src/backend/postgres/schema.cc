// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/schema.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ids.h"
#include "base/utf8.h"

namespace collect::postgres {
namespace {

bool is_storable_text(std::string_view text) {
  while (!text.empty()) {
    const auto length = text.front() == '\0' ? 0 : utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// As PostgreSQL prints it; others are the same value but would not be found again by their text.
bool is_canonical_uuid(std::string_view text) {
  return is_uuid(text) && std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'F'; });
}

}  // namespace

std::string_view Schema::type(std::string_view column) const {
  return uuid_columns_.contains(column) ? "uuid" : "text";
}

bool Schema::can_hold(std::string_view column, std::string_view text) const {
  return uuid_columns_.contains(column) ? is_canonical_uuid(text) : is_storable_text(text);
}

std::string Schema::equal(std::string_view left, std::string_view column, std::string_view right,
                          std::string_view right_column) const {
  const bool uuid = uuid_columns_.contains(column);
  if (uuid == uuid_columns_.contains(right_column)) return fmt::format("{} = {}", left, right);
  if (!uuid) return fmt::format("{} = {}::text", left, right);
  return fmt::format(
      "{0} = CASE WHEN {1} ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' THEN {1}::uuid END", left,
      right);
}

Schema read_schema(Connection& connection) {
  const auto rows = connection.run(
      "SELECT c.relname || '.' || a.attname, a.atttypid = 'uuid'::regtype FROM pg_attribute a "
      "JOIN pg_class c ON c.oid = a.attrelid "
      "WHERE a.attname IN ('id', 'system_id', 'organization_id', 'logto_id') AND NOT a.attisdropped AND "
      "c.oid IN ("
      "to_regclass('systems'), to_regclass('customers'), to_regclass('resellers'), "
      "to_regclass('distributors'), "
      "to_regclass('applications'), to_regclass('inventory_records'), to_regclass('inventory_diffs'), "
      "to_regclass('system_heartbeats'), to_regclass('inventory_alerts'), to_regclass('collect_state'))");
  std::set<std::string, std::less<>> uuid_columns;
  for (int row = 0; row < rows.count(); ++row) {
    if (rows.flag(row, 1)) uuid_columns.insert(rows.text(row, 0));
  }
  const auto newest = connection.run("SELECT to_regclass('collect_state') IS NOT NULL");
  return {std::move(uuid_columns), newest.flag(0, 0)};
}

}  // namespace collect::postgres
