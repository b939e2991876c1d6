// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/intake_store.h"

#include "backend/sqlite/documents.h"
#include "backend/sqlite/facts.h"
#include "base/point.h"
#include "inventory/batch_packer.h"

namespace collect::sqlite {
namespace {

using inventory::Arrival;
using inventory::IntakePlan;
using inventory::IntakeState;
using inventory::LatestRecord;
using inventory::Outcome;
using inventory::PackedRow;
using inventory::ProcessedMessage;

// What stands in the database, and where the next documents can be packed.
struct Read {
  IntakeState state;
  inventory::BatchPacker::Places places;
};

void read_system(Transaction& transaction, const SystemId& system_id, Read& read) {
  if (read.state.systems.contains(system_id)) return;
  auto row = transaction.query(
      "SELECT r.id, r.timestamp, r.data_hash, r.derived_hash, b.id, coalesce(q.document_hash, b.data_hash),"
      "   p.position"
      " FROM systems s"
      " LEFT JOIN inventory_records r ON r.id = (SELECT id FROM inventory_records WHERE system_id = s.id"
      "   ORDER BY timestamp DESC, id DESC LIMIT 1)"
      " LEFT JOIN packed_documents p ON p.record_id = r.id"
      " LEFT JOIN packed_documents q ON q.record_id = coalesce(p.base_id, p.record_id)"
      " LEFT JOIN inventory_records b ON b.id = q.record_id"
      " WHERE s.id = ?",
      system_id);
  if (!row.next()) return;
  auto& latest = read.state.systems[system_id];
  if (row.is_null(0)) return;
  latest = LatestRecord{RecordId{row.int64(0)}, row.time(1), row.text(2), row.text(3)};
  if (!row.is_null(4)) {
    read.places[system_id] = {RecordId{row.int64(4)}, row.text(5), static_cast<int>(row.int64(6))};
  }
}

// A dead message has no effects: when an operator sends it round again it counts as new.
void read_message(Transaction& transaction, const MessageId& message_id, IntakeState& state) {
  auto row = transaction.query("SELECT 1 FROM processed_messages WHERE message_id = ? AND outcome <> 'dead'",
                               message_id);
  if (row.next()) state.processed.insert(message_id);
}

Read read_state(Transaction& transaction, std::span<const Arrival> batch) {
  Read read;
  for (const auto& arrival : batch) {
    read_system(transaction, arrival.system_id, read);
    read_message(transaction, arrival.message_id, read.state);
  }
  return read;
}

// `packed` has a row for each record, or none: then documents are written plain.
std::vector<RecordId> write_records(Transaction& transaction, std::span<const Arrival> batch,
                                    const IntakePlan& plan, std::span<const PackedRow> packed, Time now) {
  std::vector<RecordId> ids;
  ids.reserve(plan.records.size());
  for (std::size_t i = 0; i < plan.records.size(); ++i) {
    const auto& record = plan.records[i];
    const auto& arrival = batch[record.arrival];
    ids.push_back(insert_record(
        transaction,
        {arrival.system_id, arrival.received_at, arrival.sender_time, arrival.document, arrival.hash,
         record.derived_hash, record.late ? std::optional(now) : std::nullopt, now},
        packed.empty() ? nullptr : &packed[i]));
  }
  return ids;
}

std::map<RecordId, std::string> read_bases(Snapshot& snapshot, std::span<const RecordId> records) {
  std::map<RecordId, std::string> out;
  for (const RecordId id : records) {
    if (auto document = read_base(snapshot, id)) out.emplace(id, *std::move(document));
  }
  return out;
}

RecordId resolve(const inventory::RecordRef& ref, const std::vector<RecordId>& ids) {
  return ref.id ? *ref.id : ids.at(ref.new_record);
}

// False: it is booked with its effects already.
bool book(Transaction& transaction, const ProcessedMessage& message, std::optional<RecordId> record_id,
          Time now) {
  return transaction.run(
             "INSERT INTO processed_messages(message_id, system_id, outcome, record_id, reason, received_at, "
             "booked_at)"
             " VALUES (?1, ?2, ?3, ?4, nullif(?5, ''), ?6, ?7)"
             " ON CONFLICT (message_id) DO UPDATE SET outcome = excluded.outcome, record_id = "
             "excluded.record_id,"
             "   reason = excluded.reason, booked_at = excluded.booked_at"
             " WHERE processed_messages.outcome = 'dead'",
             message.message_id, message.system_id, inventory::to_string(message.outcome), record_id,
             message.reason, message.received_at, now) > 0;
}

void write_plan(Transaction& transaction, const IntakePlan& plan, const std::vector<RecordId>& ids,
                Time now) {
  for (const auto& touch : plan.touched)
    transaction.run("UPDATE inventory_records SET timestamp = ?, updated_at = ? WHERE id = ?",
                    touch.timestamp, now, resolve(touch.record, ids));
  for (const auto& update : plan.systems) update_system(transaction, update, now);
  for (const auto& sync : plan.applications) sync_applications(transaction, sync);
  for (const auto& message : plan.processed)
    book(transaction, message, message.record ? std::optional(resolve(*message.record, ids)) : std::nullopt,
         now);
}

}  // namespace

// Bases that are not remembered are read without waiting for those who write.
Result<void> IntakeStore::pack_ahead(inventory::BatchPacker& packer) {
  const auto unknown = packer.unknown();
  if (!unknown.empty()) {
    auto read = database_.read([&](Snapshot& snapshot) {
      for (const SystemId& system_id : unknown) {
        auto row = snapshot.query(
            "SELECT coalesce(p.base_id, p.record_id) FROM packed_documents p WHERE p.record_id ="
            " (SELECT id FROM inventory_records WHERE system_id = ? ORDER BY timestamp DESC, id DESC LIMIT "
            "1)",
            system_id);
        if (!row.next()) continue;
        const auto base = read_packed(snapshot, RecordId{row.int64(0)});
        if (!base || base->base_id) continue;
        if (auto document = inventory::unpack_base(*base)) {
          packer.know(system_id, {base->record_id, base->hash, *std::move(document)});
        }
      }
    });
    if (!read) return read;
  }
  packer.pack_ahead();
  return {};
}

Result<std::vector<RecordId>> IntakeStore::take_in(std::span<const Arrival> batch, Time now,
                                                   const inventory::DecideIntake& decide) {
  inventory::BatchPacker packer(bases_, batch);
  const bool packing = form_ == inventory::DocumentForm::packed;
  if (packing) {
    if (auto ready = pack_ahead(packer); !ready) return ready.failure();
  }
  IntakePlan plan;
  std::vector<PackedRow> packed;
  auto ids = database_.write([&](Transaction& transaction) {
    const Read read = read_state(transaction, batch);
    plan = decide(read.state);
    if (packing) {
      packed = packer.pack(plan, read.places,
                           [&](std::span<const RecordId> bases) { return read_bases(transaction, bases); });
    }
    auto written = write_records(transaction, batch, plan, packed, now);
    point("inventory", "mid_transaction");
    write_plan(transaction, plan, written, now);
    return written;
  });
  if (ids) packer.remember(plan, packed, *ids);
  return ids;
}

Result<std::set<MessageId>> IntakeStore::book_dead(std::span<const ProcessedMessage> messages, Time now) {
  return database_.write([&](Transaction& transaction) {
    std::set<MessageId> alive;
    for (const auto& message : messages) {
      if (!book(transaction, message, std::nullopt, now)) alive.insert(message.message_id);
    }
    return alive;
  });
}

Result<std::optional<inventory::Receipt>> IntakeStore::receipt(const SystemId& system_id,
                                                               const MessageId& message_id) {
  return database_.read([&](Snapshot& snapshot) {
    std::optional<inventory::Receipt> receipt;
    // A record that retention has taken away was compared before.
    auto row = snapshot.query(
        "SELECT m.outcome, m.record_id, m.reason, m.received_at,"
        "   m.record_id IS NOT NULL AND (r.id IS NULL OR r.processed_at IS NOT NULL),"
        "   coalesce(r.change_count, 0)"
        " FROM processed_messages m LEFT JOIN inventory_records r ON r.id = m.record_id"
        " WHERE m.message_id = ? AND m.system_id = ?",
        message_id, system_id);
    if (!row.next()) return receipt;
    receipt.emplace();
    for (const auto outcome : {Outcome::stored, Outcome::unchanged, Outcome::dead})
      if (row.view(0) == inventory::to_string(outcome)) receipt->outcome = outcome;
    if (!row.is_null(1)) receipt->record_id = RecordId{row.int64(1)};
    receipt->reason = row.text(2);
    receipt->received_at = row.time(3);
    receipt->compared = row.flag(4);
    receipt->change_count = static_cast<int>(row.int64(5));
    return receipt;
  });
}

Result<std::uint64_t> IntakeStore::forget_messages(Time before, std::size_t limit) {
  return database_.write([&](Transaction& transaction) {
    return static_cast<std::uint64_t>(transaction.run(
        "DELETE FROM processed_messages WHERE message_id IN"
        " (SELECT message_id FROM processed_messages WHERE booked_at < ? ORDER BY booked_at LIMIT ?)",
        before, limit));
  });
}

}  // namespace collect::sqlite
