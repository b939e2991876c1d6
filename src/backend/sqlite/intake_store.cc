// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/intake_store.h"

#include "backend/sqlite/documents.h"
#include "backend/sqlite/facts.h"

namespace collect::sqlite {
namespace {

using inventory::Arrival;
using inventory::IntakePlan;
using inventory::IntakeState;
using inventory::LatestRecord;
using inventory::Outcome;
using inventory::ProcessedMessage;

void read_system(Transaction& transaction, const SystemId& system_id, IntakeState& state) {
  if (state.systems.contains(system_id)) return;
  auto row = transaction.query(
      "SELECT r.id, r.timestamp, r.data_hash, r.derived_hash FROM systems s"
      " LEFT JOIN inventory_records r ON r.id = (SELECT id FROM inventory_records WHERE system_id = s.id"
      "   ORDER BY timestamp DESC, id DESC LIMIT 1)"
      " WHERE s.id = ?",
      system_id);
  if (!row.next()) return;
  auto& latest = state.systems[system_id];
  if (!row.is_null(0)) latest = LatestRecord{RecordId{row.int64(0)}, row.time(1), row.text(2), row.text(3)};
}

// A dead message has no effects: when an operator sends it round again it counts as new.
void read_message(Transaction& transaction, const MessageId& message_id, IntakeState& state) {
  auto row = transaction.query("SELECT 1 FROM processed_messages WHERE message_id = ? AND outcome <> 'dead'",
                               message_id);
  if (row.next()) state.processed.insert(message_id);
}

IntakeState read_state(Transaction& transaction, std::span<const Arrival> batch) {
  IntakeState state;
  for (const auto& arrival : batch) {
    read_system(transaction, arrival.system_id, state);
    read_message(transaction, arrival.message_id, state);
  }
  return state;
}

std::vector<RecordId> write_records(Transaction& transaction, std::span<const Arrival> batch,
                                    const IntakePlan& plan, Time now) {
  std::vector<RecordId> ids;
  ids.reserve(plan.records.size());
  for (const auto& record : plan.records) {
    const auto& arrival = batch[record.arrival];
    ids.push_back(insert_record(transaction, {arrival.system_id, arrival.received_at, arrival.sender_time,
                                              arrival.document, arrival.hash, record.derived_hash,
                                              record.late ? std::optional(now) : std::nullopt, now}));
  }
  return ids;
}

RecordId resolve(const inventory::RecordRef& ref, const std::vector<RecordId>& ids) {
  return ref.id ? *ref.id : ids.at(ref.new_record);
}

void book(Transaction& transaction, const ProcessedMessage& message, std::optional<RecordId> record_id,
          Time now) {
  transaction.run(
      "INSERT INTO processed_messages(message_id, system_id, outcome, record_id, reason, received_at, "
      "booked_at)"
      " VALUES (?1, ?2, ?3, ?4, nullif(?5, ''), ?6, ?7)"
      " ON CONFLICT (message_id) DO UPDATE SET outcome = excluded.outcome, record_id = excluded.record_id,"
      "   reason = excluded.reason, booked_at = excluded.booked_at"
      " WHERE processed_messages.outcome = 'dead'",
      message.message_id, message.system_id, inventory::to_string(message.outcome), record_id, message.reason,
      message.received_at, now);
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

Result<std::vector<RecordId>> IntakeStore::take_in(std::span<const Arrival> batch, Time now,
                                                   const inventory::DecideIntake& decide) {
  return database_.write([&](Transaction& transaction) {
    const auto plan = decide(read_state(transaction, batch));
    auto ids = write_records(transaction, batch, plan, now);
    write_plan(transaction, plan, ids, now);
    return ids;
  });
}

Result<void> IntakeStore::book_dead(std::span<const ProcessedMessage> messages, Time now) {
  return database_.write([&](Transaction& transaction) {
    for (const auto& message : messages) book(transaction, message, std::nullopt, now);
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
