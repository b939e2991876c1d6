// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/documents.h"

#include <fmt/format.h>

#include "base/hash.h"

namespace collect::postgres {
namespace {

using inventory::PackedRow;

constexpr std::string_view kColumns =
    "packed, packed_base, packed_position, coalesce(packed_hash, data_hash)";

// id, then kColumns from `column` on.
std::optional<PackedRow> packed_at(const Rows& rows, int row, int column) {
  if (rows.is_null(row, column)) return std::nullopt;
  PackedRow out;
  out.record_id = RecordId{rows.int64(row, 0)};
  out.bytes = rows.bytes(row, column);
  if (const auto base = rows.maybe_int64(row, column + 1)) out.base_id = RecordId{*base};
  out.position = static_cast<int>(rows.int64(row, column + 2));
  out.hash = rows.text(row, column + 3);
  return out;
}

}  // namespace

Statement select_documents(const std::set<RecordId>& records) {
  static const std::string sql = fmt::format(
      "SELECT id, data, {0} FROM inventory_records WHERE id = ANY($1::bigint[]) UNION ALL "
      "SELECT id, NULL::jsonb, {0} FROM inventory_records WHERE id IN "
      "(SELECT packed_base FROM inventory_records WHERE id = ANY($1::bigint[])) AND id <> ALL($1::bigint[])",
      kColumns);
  Params params;
  params.array(records, [](RecordId id) { return id; });
  return {sql, std::move(params)};
}

std::map<RecordId, StoredDocument> read_stored(const Rows& rows) {
  std::map<RecordId, StoredDocument> out;
  for (int row = 0; row < rows.count(); ++row) {
    out[RecordId{rows.int64(row, 0)}] = {rows.maybe_text(row, 1), packed_at(rows, row, 2)};
  }
  return out;
}

Result<std::optional<std::string>> document_of(const std::map<RecordId, StoredDocument>& stored,
                                               RecordId record_id) {
  const auto found = stored.find(record_id);
  if (found == stored.end()) return std::optional<std::string>();
  const auto& packed = found->second.packed;
  if (!packed) return found->second.plain;
  const PackedRow* base = nullptr;
  if (packed->base_id) {
    const auto its_base = stored.find(*packed->base_id);
    if (its_base != stored.end() && its_base->second.packed) base = &*its_base->second.packed;
  }
  auto document = inventory::unpack(*packed, base);
  if (!document) return document.failure();
  return std::optional(*std::move(document));
}

void detach(Transaction& transaction, const SystemId& system_id, RecordId base_id,
            const std::set<RecordId>& leaving) {
  const auto base = transaction.run(
      fmt::format("SELECT id, {} FROM inventory_records WHERE id = $1 AND packed_base IS NULL", kColumns),
      Params::of(base_id));
  if (base.empty()) return;
  const auto row = packed_at(base, 0, 1);
  if (!row) return;
  const auto rows = transaction.run(
      fmt::format(
          "SELECT id, {} FROM inventory_records WHERE system_id = $1 AND packed_base = $2 ORDER BY id",
          kColumns),
      Params::of(system_id, base_id));
  std::vector<PackedRow> dependents;
  for (int i = 0; i < rows.count(); ++i) {
    auto dependent = packed_at(rows, i, 1);
    if (dependent && !leaving.contains(dependent->record_id)) dependents.push_back(*std::move(dependent));
  }
  write_packed(transaction, inventory::rebase(*row, dependents));
}

void write_packed(Transaction& transaction, const std::vector<PackedRow>& rows) {
  if (rows.empty()) return;
  Params params;
  params.array(rows, [](const PackedRow& row) { return row.record_id; })
      .array(rows, [](const PackedRow& row) { return Bytes{row.bytes}; })
      .array(rows, [](const PackedRow& row) { return row.base_id; })
      .array(rows, [](const PackedRow& row) { return row.position; })
      .array(rows, [](const PackedRow& row) { return std::string_view(row.hash); });
  transaction.run(
      "UPDATE inventory_records AS r SET data = NULL, packed = u.bytes, packed_base = u.base, "
      "packed_position = u.position::integer, packed_hash = nullif(u.hash, r.data_hash) "
      "FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bigint[], $5::text[]) "
      "AS u(id, bytes, base, position, hash) WHERE r.id = u.id",
      std::move(params));
}

}  // namespace collect::postgres
