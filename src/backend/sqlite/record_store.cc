// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/record_store.h"

#include <algorithm>
#include <limits>

#include "backend/sqlite/documents.h"
#include "base/hash.h"

namespace collect::sqlite {
namespace {

using inventory::Conversion;
using inventory::PackedRow;
using inventory::PackPlace;

struct PlainRow {
  RecordId record_id{};
  SystemId system_id;
  std::string document;
  std::string data_hash;
};

bool has_record(Snapshot& snapshot, const SystemId& system_id, RecordId record_id) {
  return snapshot
      .query("SELECT 1 FROM inventory_records WHERE id = ? AND system_id = ?", record_id, system_id)
      .next();
}

// ---------------------------------------------------------------- plain → packed, from the oldest on

std::vector<PlainRow> read_plain(Snapshot& snapshot, std::optional<RecordId> after, std::size_t limit) {
  std::vector<PlainRow> rows;
  auto row = snapshot.query(
      "SELECT d.record_id, r.system_id, d.data, r.data_hash FROM inventory_documents d"
      " JOIN inventory_records r ON r.id = d.record_id WHERE d.record_id > ? ORDER BY d.record_id LIMIT ?",
      after.value_or(RecordId{0}), limit);
  while (row.next())
    rows.push_back({RecordId{row.int64(0)}, SystemId(row.text(1)), row.text(2), row.text(3)});
  return rows;
}

// Of the newest packed one before it: an older one, so that the way back goes from the newest to the oldest.
std::optional<PackPlace> place_before(Snapshot& snapshot, const PlainRow& plain) {
  auto row = snapshot.query(
      "SELECT coalesce(p.base_id, p.record_id), p.position FROM inventory_records r"
      " JOIN packed_documents p ON p.record_id = r.id WHERE r.system_id = ? AND r.id < ?"
      " ORDER BY r.id DESC LIMIT 1",
      plain.system_id, plain.record_id);
  if (!row.next()) return std::nullopt;
  return PackPlace{RecordId{row.int64(0)}, "", static_cast<int>(row.int64(1))};
}

void pack_one(Transaction& transaction, const PlainRow& plain) {
  const auto place = place_before(transaction, plain);
  const PackedRow row = inventory::pack_next(
      place, plain.document, to_hex(sha256(plain.document)), 0, true, [&]() -> std::optional<std::string> {
        const auto base = read_base(transaction, place->base_id);
        return base ? std::optional(inventory::pack(plain.document, *base)) : std::nullopt;
      });
  insert_packed(transaction, plain.record_id, row, plain.data_hash);
  transaction.run("DELETE FROM inventory_documents WHERE record_id = ?", plain.record_id);
}

Conversion pack_some(Transaction& transaction, Conversion done, std::size_t limit) {
  const auto rows = read_plain(transaction, done.reached, limit);
  for (const PlainRow& row : rows) {
    pack_one(transaction, row);
    done.reached = row.record_id;
    ++done.converted;
  }
  done.done = rows.size() < limit;
  return done;
}

// ---------------------------------------------------------------- packed → plain, from the newest on

Conversion unpack_some(Transaction& transaction, Conversion done, std::size_t limit) {
  std::vector<std::pair<RecordId, SystemId>> rows;
  {
    auto row = transaction.query(
        "SELECT p.record_id, r.system_id FROM packed_documents p JOIN inventory_records r ON r.id = "
        "p.record_id"
        " WHERE p.record_id < ? ORDER BY p.record_id DESC LIMIT ?",
        done.reached.value_or(RecordId{std::numeric_limits<std::int64_t>::max()}), limit);
    while (row.next()) rows.emplace_back(RecordId{row.int64(0)}, SystemId(row.text(1)));
  }
  for (const auto& [record_id, system_id] : rows) {
    done.reached = record_id;
    const auto document = read_document(transaction, record_id);
    if (!document || !*document) {
      if (done.unreadable++ == 0 && !document) done.damage = document.failure().message;
      continue;
    }
    detach(transaction, system_id, record_id, {});
    transaction.run("DELETE FROM packed_documents WHERE record_id = ?", record_id);
    insert_plain(transaction, record_id, **document);
    ++done.converted;
  }
  done.done = rows.size() < limit;
  return done;
}

}  // namespace

Result<std::uint64_t> RecordStore::remove(const SystemId& system_id, std::span<const RecordId> records) {
  return database_.write([&](Transaction& transaction) {
    std::vector<RecordId> leaving;
    for (const RecordId id : records) {
      if (has_record(transaction, system_id, id)) leaving.push_back(id);
    }
    std::ranges::sort(leaving);
    leaving.erase(std::unique(leaving.begin(), leaving.end()), leaving.end());
    for (const RecordId id : leaving) detach(transaction, system_id, id, leaving);
    for (const RecordId id : leaving) transaction.run("DELETE FROM inventory_records WHERE id = ?", id);
    return static_cast<std::uint64_t>(leaving.size());
  });
}

Result<Conversion> RecordStore::convert(const Conversion& so_far, std::size_t limit) {
  return database_.write([&](Transaction& transaction) {
    return form_ == inventory::DocumentForm::packed ? pack_some(transaction, so_far, limit)
                                                    : unpack_some(transaction, so_far, limit);
  });
}

}  // namespace collect::sqlite
