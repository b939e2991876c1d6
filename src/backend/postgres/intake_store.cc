// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/intake_store.h"

#include <fmt/format.h>

#include <numeric>
#include <set>

#include "backend/postgres/documents.h"
#include "backend/postgres/facts.h"
#include "base/point.h"

namespace collect::postgres {
namespace {

using inventory::Arrival;
using inventory::IntakePlan;
using inventory::IntakeState;
using inventory::LatestRecord;
using inventory::NewRecord;
using inventory::Outcome;
using inventory::PackedRow;
using inventory::ProcessedMessage;
using inventory::RecordRef;

// Documents of one INSERT. The server keeps an array whole, and below its work_mem (4 MB) off the disk.
constexpr std::size_t kInsertBytes = 3 << 20;

// What stands in the database, and where the next documents can be packed.
struct Read {
  IntakeState state;
  inventory::BatchPacker::Places places;
};

// The arrivals' systems and messages that the columns can hold at all: nothing else can be in the database.
struct Asked {
  std::vector<std::string> systems;
  std::vector<std::string> messages;
};

Asked asked_of(const Schema& schema, std::span<const Arrival> batch) {
  std::set<std::string> systems;
  std::set<std::string> messages;
  for (const auto& arrival : batch) {
    if (schema.can_hold("systems.id", arrival.system_id.text())) systems.insert(arrival.system_id.text());
    if (schema.can_hold("processed_messages.message_id", arrival.message_id.text())) {
      messages.insert(arrival.message_id.text());
    }
  }
  return {{systems.begin(), systems.end()}, {messages.begin(), messages.end()}};
}

Read lock_and_read(Transaction& transaction, const Schema& schema, std::span<const Arrival> batch) {
  const auto asked = asked_of(schema, batch);
  // Each statement sees what was committed before it began: the two after the lock see all that its last
  // holder wrote.
  add_system_lock(transaction, schema, asked.systems);
  transaction.add(
      fmt::format("SELECT s.id, r.id, r.timestamp, r.data_hash, r.derived_hash, b.id, "
                  "coalesce(b.packed_hash, b.data_hash), "
                  "r.packed_position FROM unnest($1::{}[]) AS s(id) "
                  "CROSS JOIN LATERAL (SELECT id, timestamp, data_hash, derived_hash, packed_position, "
                  "CASE WHEN packed_position IS NOT NULL THEN coalesce(packed_base, id) END AS base FROM "
                  "inventory_records "
                  "WHERE system_id = s.id ORDER BY timestamp DESC, id DESC LIMIT 1) AS r "
                  "LEFT JOIN inventory_records AS b ON b.id = r.base",
                  schema.type("inventory_records.system_id")),
      Params().texts(asked.systems));
  // A dead message has no effects: sent round again, it counts as new.
  transaction.add(
      "SELECT message_id FROM processed_messages WHERE message_id = ANY($1::text[]) AND outcome <> 'dead'",
      Params().texts(asked.messages));
  const auto answers = transaction.flush();

  Read read;
  for (int row = 0; row < answers[0].count(); ++row) read.state.systems[SystemId(answers[0].text(row, 0))];
  const auto& latest = answers[1];
  for (int row = 0; row < latest.count(); ++row) {
    const auto place = read.state.systems.find(SystemId(latest.text(row, 0)));
    if (place == read.state.systems.end()) continue;  // records of a system that is gone
    place->second = LatestRecord{RecordId{latest.int64(row, 1)}, latest.time(row, 2), latest.text(row, 3),
                                 latest.text(row, 4)};
    if (const auto base = latest.maybe_int64(row, 5)) {
      read.places[place->first] = {RecordId{*base}, latest.text(row, 6),
                                   static_cast<int>(latest.int64(row, 7))};
    }
  }
  for (int row = 0; row < answers[2].count(); ++row) read.state.processed.emplace(answers[2].text(row, 0));
  return read;
}

std::map<RecordId, std::string> read_bases(Transaction& transaction, std::span<const RecordId> records) {
  auto statement = select_documents({records.begin(), records.end()});
  std::map<RecordId, std::string> out;
  for (const auto& [id, stored] :
       read_stored(transaction.run(std::move(statement.sql), std::move(statement.params)))) {
    if (!stored.packed || stored.packed->base_id) continue;
    if (auto document = inventory::unpack_base(*stored.packed)) out.emplace(id, *std::move(document));
  }
  return out;
}

// What a batch adds. `packed` has a row for each record, or none: then documents are written as jsonb.
struct Added {
  std::span<const Arrival> batch;
  std::span<const NewRecord> records;
  std::span<const PackedRow> packed;

  [[nodiscard]] const Arrival& arrival(std::size_t i) const { return batch[records[i].arrival]; }
  [[nodiscard]] std::size_t bytes(std::size_t i) const {
    return packed.empty() ? arrival(i).document.size() : packed[i].bytes.size();
  }
};

void add_insert(Transaction& transaction, const Schema& schema, const Added& added, std::size_t from,
                std::size_t to, Time now) {
  std::vector<std::size_t> rows(to - from);
  std::iota(rows.begin(), rows.end(), from);
  const auto arrival = [&](auto part) {
    return [&added, part](std::size_t i) { return part(added.arrival(i)); };
  };
  const auto packed = [&](auto part) {
    return [&added, part](std::size_t i) -> std::optional<decltype(part(added.packed[i]))> {
      if (added.packed.empty()) return std::nullopt;
      return part(added.packed[i]);
    };
  };
  Params params;
  params.array(rows, arrival([](const Arrival& one) { return one.system_id; }))
      .array(rows, arrival([](const Arrival& one) { return one.received_at; }))
      .array(rows,
             [&](std::size_t i) {
               return added.packed.empty() ? std::optional(std::string_view(added.arrival(i).document))
                                           : std::nullopt;
             })
      .array(rows, arrival([](const Arrival& one) { return std::string_view(one.hash); }))
      .array(rows, arrival([](const Arrival& one) { return one.document.size(); }))
      .array(rows, arrival([](const Arrival& one) { return one.sender_time; }))
      .array(rows, [&](std::size_t i) { return std::string_view(added.records[i].derived_hash); })
      .array(rows, [&](std::size_t i) { return added.records[i].late ? std::optional(now) : std::nullopt; })
      .add(now)
      .array(rows, packed([](const PackedRow& row) { return Bytes{row.bytes}; }))
      .array(rows,
             [&](std::size_t i) { return added.packed.empty() ? std::nullopt : added.packed[i].base_id; })
      .array(rows, packed([](const PackedRow& row) { return row.position; }));
  transaction.add(
      fmt::format(
          "INSERT INTO inventory_records (system_id, timestamp, data, data_hash, data_size, "
          "sender_timestamp, "
          "derived_hash, processed_at, has_changes, change_count, created_at, updated_at, packed, "
          "packed_base, "
          "packed_position) "
          "SELECT u.system_id, u.at, u.data::jsonb, u.hash, u.size, u.sender, u.derived, u.processed, false, "
          "0, $9, $9, u.packed, u.base, u.position::integer FROM unnest($1::{}[], $2::timestamptz[], "
          "$3::text[], "
          "$4::text[], $5::bigint[], $6::timestamptz[], $7::text[], $8::timestamptz[], $10::bytea[], "
          "$11::bigint[], $12::bigint[]) "
          "AS u(system_id, at, data, hash, size, sender, derived, processed, packed, base, position) "
          "RETURNING id",
          schema.type("inventory_records.system_id")),
      std::move(params));
}

// Ids in the order of the records, which is the order in which the rows are made.
std::vector<RecordId> insert_records(Transaction& transaction, const Schema& schema, const Added& added,
                                     Time now) {
  if (added.records.empty()) return {};
  for (std::size_t from = 0; from < added.records.size();) {
    std::size_t bytes = added.bytes(from);
    std::size_t to = from + 1;
    while (to < added.records.size() && bytes + added.bytes(to) <= kInsertBytes) bytes += added.bytes(to++);
    add_insert(transaction, schema, added, from, to, now);
    from = to;
  }
  std::vector<RecordId> ids;
  for (const auto& rows : transaction.flush()) {
    for (int row = 0; row < rows.count(); ++row) ids.push_back(RecordId{rows.int64(row, 0)});
  }
  if (ids.size() != added.records.size()) {
    throw Fault(
        internal(fmt::format("{} inventories were to be stored, {} were", added.records.size(), ids.size())));
  }
  return ids;
}

RecordId resolve(const RecordRef& ref, const std::vector<RecordId>& ids) {
  return ref.id ? *ref.id : ids.at(ref.new_record);
}

void add_touches(Transaction& transaction, const IntakePlan& plan, const std::vector<RecordId>& ids,
                 Time now) {
  std::map<RecordId, Time> last;
  for (const auto& touch : plan.touched) last[resolve(touch.record, ids)] = touch.timestamp;
  if (last.empty()) return;
  Params params;
  params.array(last, [](const auto& entry) { return entry.first; })
      .array(last, [](const auto& entry) { return entry.second; })
      .add(now);
  transaction.add(
      "UPDATE inventory_records AS r SET timestamp = u.at, updated_at = $3 "
      "FROM unnest($1::bigint[], $2::timestamptz[]) AS u(id, at) WHERE r.id = u.id",
      std::move(params));
}

void add_bookings(Transaction& transaction, std::span<const ProcessedMessage> messages,
                  const std::vector<RecordId>& ids, Time now) {
  std::map<std::string_view, const ProcessedMessage*> first;
  for (const auto& message : messages) first.emplace(message.message_id.text(), &message);
  if (first.empty()) return;
  const auto part = [](auto member) { return [member](const auto& entry) { return entry.second->*member; }; };
  Params params;
  params.array(first, [](const auto& entry) { return entry.first; })
      .array(first, part(&ProcessedMessage::system_id))
      .array(first, [](const auto& entry) { return inventory::to_string(entry.second->outcome); })
      .array(first,
             [&](const auto& entry) {
               const auto& record = entry.second->record;
               return record ? std::optional(resolve(*record, ids)) : std::nullopt;
             })
      .array(first, part(&ProcessedMessage::reason))
      .array(first, part(&ProcessedMessage::received_at))
      .add(now);
  transaction.add(
      "INSERT INTO processed_messages AS p (message_id, system_id, outcome, record_id, reason, received_at, "
      "booked_at) "
      "SELECT u.*, $7 FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], "
      "$6::timestamptz[]) AS u "
      "ON CONFLICT (message_id) DO UPDATE SET system_id = EXCLUDED.system_id, outcome = EXCLUDED.outcome, "
      "record_id = EXCLUDED.record_id, reason = EXCLUDED.reason, received_at = EXCLUDED.received_at, "
      "booked_at = EXCLUDED.booked_at WHERE p.outcome = 'dead' RETURNING p.message_id",
      std::move(params));
}

}  // namespace

Result<std::vector<RecordId>> IntakeStore::take_in(std::span<const Arrival> batch, Time now,
                                                   const inventory::DecideIntake& decide) {
  inventory::BatchPacker packer(bases_, batch);
  const bool packing = form_ == inventory::DocumentForm::packed;
  // Bases that are not remembered are read under the lock: it holds up nobody but these systems.
  if (packing) packer.pack_ahead();
  IntakePlan plan;
  std::vector<PackedRow> packed;
  auto ids = pool_.write([&](Transaction& transaction, const Schema& schema) {
    const Read read = lock_and_read(transaction, schema, batch);
    plan = decide(read.state);
    if (packing) {
      packed = packer.pack(plan, read.places,
                           [&](std::span<const RecordId> bases) { return read_bases(transaction, bases); });
    }
    auto written = insert_records(transaction, schema, {batch, plan.records, packed}, now);
    point("inventory", "mid_transaction");
    add_touches(transaction, plan, written, now);
    add_system_updates(transaction, schema, plan.systems, now);
    add_application_syncs(transaction, schema, plan.applications);
    add_bookings(transaction, plan.processed, written, now);
    return written;
  });
  if (ids) packer.remember(plan, packed, *ids);
  return ids;
}

Result<std::set<MessageId>> IntakeStore::book_dead(std::span<const ProcessedMessage> messages, Time now) {
  return pool_.write([&](Transaction& transaction, const Schema&) {
    std::set<MessageId> alive;
    for (const auto& message : messages) alive.insert(message.message_id);
    add_bookings(transaction, messages, {}, now);
    for (const auto& rows : transaction.flush()) {
      for (int row = 0; row < rows.count(); ++row) alive.erase(MessageId(rows.text(row, 0)));
    }
    return alive;
  });
}

Result<std::optional<inventory::Receipt>> IntakeStore::receipt(const SystemId& system_id,
                                                               const MessageId& message_id) {
  return pool_.read([&](Connection& connection, const Schema& schema) -> std::optional<inventory::Receipt> {
    if (!schema.can_hold("processed_messages.message_id", message_id.text()) ||
        !schema.can_hold("processed_messages.system_id", system_id.text())) {
      return std::nullopt;
    }
    // A record that retention has taken away was compared before.
    const auto rows = connection.run(
        "SELECT p.outcome, p.record_id IS NOT NULL AND (r.id IS NULL OR r.processed_at IS NOT NULL), "
        "p.record_id, "
        "coalesce(r.change_count, 0), p.reason, p.received_at FROM processed_messages p "
        "LEFT JOIN inventory_records r ON r.id = p.record_id WHERE p.message_id = $1 AND p.system_id = $2",
        Params::of(message_id, system_id));
    if (rows.empty()) return std::nullopt;
    inventory::Receipt receipt;
    for (const auto outcome : {Outcome::stored, Outcome::unchanged, Outcome::dead}) {
      if (rows.view(0, 0) == inventory::to_string(outcome)) receipt.outcome = outcome;
    }
    receipt.compared = rows.flag(0, 1);
    if (const auto id = rows.maybe_int64(0, 2)) receipt.record_id = RecordId{*id};
    receipt.change_count = static_cast<int>(rows.int64(0, 3));
    receipt.reason = rows.text(0, 4);
    receipt.received_at = rows.time(0, 5);
    return receipt;
  });
}

Result<std::uint64_t> IntakeStore::forget_messages(Time before, std::size_t limit) {
  return pool_.write([&](Transaction& transaction, const Schema&) {
    return static_cast<std::uint64_t>(transaction
                                          .run("DELETE FROM processed_messages WHERE message_id IN (SELECT "
                                               "message_id FROM processed_messages "
                                               "WHERE booked_at < $1 ORDER BY booked_at LIMIT $2)",
                                               Params::of(before, limit))
                                          .affected());
  });
}

}  // namespace collect::postgres
