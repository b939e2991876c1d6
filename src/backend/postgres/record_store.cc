// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/record_store.h"

#include <fmt/format.h>

#include <limits>

#include "backend/postgres/documents.h"
#include "backend/postgres/facts.h"
#include "base/hash.h"

namespace collect::postgres {
namespace {

using inventory::Conversion;
using inventory::PackedRow;
using inventory::PackPlace;

struct Candidate {
  RecordId record_id{};
  SystemId system_id;
};

std::vector<Candidate> candidates_from(const Rows& rows) {
  std::vector<Candidate> out;
  for (int row = 0; row < rows.count(); ++row) {
    out.push_back({RecordId{rows.int64(row, 0)}, SystemId(rows.text(row, 1))});
  }
  return out;
}

void lock_systems(Transaction& transaction, const Schema& schema, const std::vector<Candidate>& candidates) {
  std::set<std::string> ids;
  for (const auto& candidate : candidates) ids.insert(candidate.system_id.text());
  add_system_lock(transaction, schema, {ids.begin(), ids.end()});
  transaction.flush();
}

std::map<RecordId, StoredDocument> read(Transaction& transaction, const std::set<RecordId>& records) {
  auto statement = select_documents(records);
  return read_stored(transaction.run(std::move(statement.sql), std::move(statement.params)));
}

// ---------------------------------------------------------------- plain → packed, from the oldest on

// Of the newest packed one before it: an older one, so that the way back goes from the newest to the oldest.
std::optional<PackPlace> place_before(Transaction& transaction, const Candidate& candidate) {
  const auto rows = transaction.run(
      "SELECT coalesce(packed_base, id), packed_position FROM inventory_records WHERE system_id = $1 AND id "
      "< $2 "
      "AND packed IS NOT NULL ORDER BY id DESC LIMIT 1",
      Params::of(candidate.system_id, candidate.record_id));
  if (rows.empty()) return std::nullopt;
  return PackPlace{RecordId{rows.int64(0, 0)}, "", static_cast<int>(rows.int64(0, 1))};
}

// The text that the server makes of jsonb is not what was received: it has a hash of its own.
void pack_one(Transaction& transaction, const Candidate& candidate, const std::string& document) {
  const auto place = place_before(transaction, candidate);
  PackedRow row = inventory::pack_next(
      place, document, to_hex(sha256(document)), 0, true, [&]() -> std::optional<std::string> {
        const auto stored = read(transaction, {place->base_id});
        const auto base = stored.find(place->base_id);
        if (base == stored.end() || !base->second.packed) return std::nullopt;
        const auto base_document = inventory::unpack_base(*base->second.packed);
        return base_document ? std::optional(inventory::pack(document, *base_document)) : std::nullopt;
      });
  row.record_id = candidate.record_id;
  write_packed(transaction, {row});
}

Conversion pack_some(Transaction& transaction, const Schema& schema, Conversion done, std::size_t limit) {
  const auto candidates = candidates_from(
      transaction.run("SELECT id, system_id FROM inventory_records WHERE id > $1 AND packed IS NULL "
                      "AND data IS NOT NULL ORDER BY id LIMIT $2",
                      Params::of(done.reached.value_or(RecordId{0}), limit)));
  lock_systems(transaction, schema, candidates);
  for (const auto& candidate : candidates) {
    done.reached = candidate.record_id;
    const auto stored = read(transaction, {candidate.record_id});  // as it is under the lock
    const auto found = stored.find(candidate.record_id);
    if (found == stored.end() || !found->second.plain || found->second.packed) continue;
    pack_one(transaction, candidate, *found->second.plain);
    ++done.converted;
  }
  done.done = candidates.size() < limit;
  return done;
}

// ---------------------------------------------------------------- packed → plain, from the newest on

Conversion unpack_some(Transaction& transaction, const Schema& schema, Conversion done, std::size_t limit) {
  const auto any = transaction.run(
      "SELECT 1 FROM inventory_records WHERE packed IS NOT NULL AND packed_base IS NULL LIMIT 1");
  std::vector<Candidate> candidates;
  if (!any.empty()) {
    candidates = candidates_from(transaction.run(
        "SELECT id, system_id FROM inventory_records WHERE id < $1 AND packed IS NOT NULL ORDER BY id DESC "
        "LIMIT $2",
        Params::of(done.reached.value_or(RecordId{std::numeric_limits<std::int64_t>::max()}), limit)));
  }
  lock_systems(transaction, schema, candidates);
  for (const auto& candidate : candidates) {
    done.reached = candidate.record_id;
    const auto stored = read(transaction, {candidate.record_id});
    const auto found = stored.find(candidate.record_id);
    if (found == stored.end() || !found->second.packed) continue;
    const auto document = document_of(stored, candidate.record_id);
    if (!document || !*document) {
      if (done.unreadable++ == 0 && !document) done.damage = document.failure().message;
      continue;
    }
    detach(transaction, candidate.system_id, candidate.record_id, {});
    transaction.run(
        "UPDATE inventory_records SET data = $2::jsonb, packed = NULL, packed_base = NULL, packed_position = "
        "NULL, "
        "packed_hash = NULL WHERE id = $1",
        Params::of(candidate.record_id, **document));
    ++done.converted;
  }
  done.done = candidates.size() < limit;
  return done;
}

}  // namespace

Result<std::uint64_t> RecordStore::remove(const SystemId& system_id, std::span<const RecordId> records) {
  return pool_.write([&](Transaction& transaction, const Schema& schema) -> std::uint64_t {
    if (!schema.can_hold("inventory_records.system_id", system_id.text())) return 0;
    lock_systems(transaction, schema, {{RecordId{}, system_id}});
    const auto rows = transaction.run(
        "SELECT id, system_id, packed IS NOT NULL AND packed_base IS NULL FROM inventory_records "
        "WHERE id = ANY($2::bigint[]) AND system_id = $1",
        Params::of(system_id).array(records, [](RecordId id) { return id; }));
    std::set<RecordId> leaving;
    for (int row = 0; row < rows.count(); ++row) leaving.insert(RecordId{rows.int64(row, 0)});
    for (int row = 0; row < rows.count(); ++row) {
      if (rows.flag(row, 2)) detach(transaction, system_id, RecordId{rows.int64(row, 0)}, leaving);
    }
    Params params;
    params.array(leaving, [](RecordId id) { return id; });
    return static_cast<std::uint64_t>(
        transaction.run("DELETE FROM inventory_records WHERE id = ANY($1::bigint[])", std::move(params))
            .affected());
  });
}

Result<Conversion> RecordStore::convert(const Conversion& so_far, std::size_t limit) {
  return pool_.write([&](Transaction& transaction, const Schema& schema) {
    return form_ == inventory::DocumentForm::packed ? pack_some(transaction, schema, so_far, limit)
                                                    : unpack_some(transaction, schema, so_far, limit);
  });
}

}  // namespace collect::postgres
