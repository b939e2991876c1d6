// SPDX-License-Identifier: Apache-2.0
// PORT. Where inventories become records. One call is one transaction; what to write is decided by the
// caller's function (intake.h), between reading and writing, under the locks of the systems concerned.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"

namespace collect::inventory {

// One inventory out of the queue, checked and hashed.
struct Arrival {
  MessageId message_id;
  SystemId system_id;
  Time received_at{};
  std::optional<Time> sender_time;
  std::string document;  // JSON as received
  std::string hash;      // hex SHA-256 of `document`
};

// What the latest record (by timestamp, then id) of a system says.
struct LatestRecord {
  RecordId id{};
  Time timestamp{};
  std::string hash;
  std::string derived_hash;  // see NewRecord; empty for records that others wrote
};

struct IntakeState {
  // Every system of the batch that exists (deleted ones too); no latest record: nullopt.
  std::map<SystemId, std::optional<LatestRecord>> systems;
  // Messages of the batch whose effects are in the database already: redelivered.
  std::set<MessageId> processed;
};

enum class Outcome { stored, unchanged, dead };
std::string_view to_string(Outcome outcome);

struct NewRecord {
  std::size_t arrival = 0;  // index into the batch
  // Fingerprint of what this document says about the system and its applications: equal to the predecessor's
  // means that nothing of that needs writing.
  std::string derived_hash;
  // Older than the latest record: kept for the books, compared with nothing (processed_at is set at once).
  bool late = false;
};

// A record, by its id or as the n-th of IntakePlan::records.
struct RecordRef {
  std::optional<RecordId> id;
  std::size_t new_record = 0;
};

struct Touch {  // the same document again: the record's timestamp and updated_at move on
  RecordRef record;
  Time timestamp{};
};

// What an inventory says about the machine itself. nullopt: says nothing, leave as is.
struct SystemFacts {
  std::optional<std::string> name;  // written only where systems.name is null or empty
  std::optional<std::string> fqdn;
  std::optional<std::string> version;
  std::optional<std::string> type;
  std::optional<std::string> ipv4_address;
  std::optional<std::string> ipv6_address;
  auto operator<=>(const SystemFacts&) const = default;
};

struct SystemUpdate {
  SystemId system_id;
  Time last_inventory_at{};          // never moves backwards
  std::optional<SystemFacts> facts;  // updated_at moves only when one of these changes a column
};

struct Application {
  std::string module_id;    // "mail1"; the row's id is "<system_id>-<module_id>"
  std::string instance_of;  // "mail"
  std::string name;
  std::string source;
  std::optional<std::string> display_name;
  std::optional<int> node_id;
  std::optional<std::string> node_label;
  std::string version;
  std::optional<std::string> url;
  std::string inventory_data;  // JSON object
  bool is_user_facing = true;
};

// Makes the system's applications equal to these: new ones are inserted (organization of the system, status
// 'unassigned', first_seen_at = at), known ones updated only where a value differs, returning ones revived
// (deleted_at null), those in neither list soft-deleted.
struct ApplicationSync {
  SystemId system_id;
  std::vector<Application> applications;
  Time at{};
  std::vector<std::string> unchanged = {};  // module ids: known to stand there just as they should
  bool none_vanished = false;               // known: nothing stands there that is in neither list
};

struct ProcessedMessage {
  MessageId message_id;
  SystemId system_id;
  Outcome outcome = Outcome::stored;
  std::optional<RecordRef> record;
  std::string reason;  // of dead ones
  Time received_at{};
};

struct IntakePlan {
  std::vector<NewRecord> records;
  std::vector<Touch> touched;
  std::vector<SystemUpdate> systems;
  std::vector<ApplicationSync> applications;
  std::vector<ProcessedMessage> processed;
};

using DecideIntake = std::function<IntakePlan(const IntakeState&)>;

struct Receipt {
  Outcome outcome = Outcome::stored;
  bool compared = false;  // the record's diffs are computed
  std::optional<RecordId> record_id;
  int change_count = 0;
  std::string reason;
  Time received_at{};
};

class IntakeStore {
 public:
  virtual ~IntakeStore() = default;

  // Locks the systems (in a fixed order), reads the state, asks `decide`, writes its plan, commits. Returns
  // the ids of plan.records in their order. `unavailable`: nothing happened, or an unknown COMMIT: asking
  // again is safe, because redelivered messages are seen in `processed`. `invalid`: the engine refuses some
  // value of this batch; ask again with parts of it to find out which.
  virtual Result<std::vector<RecordId>> take_in(std::span<const Arrival> batch, Time now,
                                                const DecideIntake& decide) = 0;

  // Books messages that go to the dead letters (record is not set). Repeating one is no error. Gives those
  // that are booked with their effects already: they stay so.
  virtual Result<std::set<MessageId>> book_dead(std::span<const ProcessedMessage> messages, Time now) = 0;

  // What became of a system's message; nullopt: nothing yet, or not this system's, or forgotten.
  virtual Result<std::optional<Receipt>> receipt(const SystemId& system_id, const MessageId& message_id) = 0;

  // Forgets messages booked before `before`, at most `limit`; returns how many.
  virtual Result<std::uint64_t> forget_messages(Time before, std::size_t limit) = 0;
};

}  // namespace collect::inventory
