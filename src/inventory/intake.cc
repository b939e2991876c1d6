// SPDX-License-Identifier: Apache-2.0
#include "inventory/intake.h"

#include <fmt/format.h>

#include <algorithm>

namespace collect::inventory {
namespace {

// The latest record of a system while a batch is being decided: as the store has it, or new in this plan.
struct Latest {
  RecordRef ref;
  Time timestamp{};
  std::string hash;
  std::string derived_hash;
};

class Planner {
 public:
  Planner(std::span<const Arrival> batch, std::span<const std::shared_ptr<const Derived>> derived,
          const IntakeState& state, Recent& recent)
      : batch_(batch), derived_(derived), state_(state), recent_(recent) {
    for (const auto& [system_id, latest] : state.systems) {
      if (!latest) continue;
      latest_[system_id] = {{latest->id, 0}, latest->timestamp, latest->hash, latest->derived_hash};
      stored_[system_id] = latest->derived_hash;
    }
  }

  IntakeDecision decide() && {
    for (std::size_t i = 0; i < batch_.size(); ++i) take(i);
    for (auto& [system_id, update] : updates_) plan_.systems.push_back(std::move(update));
    for (auto& [system_id, sync] : syncs_) plan_.applications.push_back(std::move(sync));
    return {std::move(plan_), std::move(rejected_)};
  }

 private:
  void take(std::size_t index) {
    const Arrival& arrival = batch_[index];
    // A message may stand twice in one batch as well.
    if (state_.processed.contains(arrival.message_id) || !seen_.insert(arrival.message_id).second) return;
    if (!state_.systems.contains(arrival.system_id)) {
      rejected_.push_back(
          {index, fmt::format("there is no system {}", json::quote(arrival.system_id.text()))});
      return;
    }
    const auto latest = latest_.find(arrival.system_id);
    if (latest != latest_.end() && latest->second.hash == arrival.hash) {
      repeat(arrival, latest->second);
    } else if (latest != latest_.end() && arrival.received_at < latest->second.timestamp) {
      book(arrival, Outcome::stored, add_record(index, "", true), "");
    } else {
      advance(index);
    }
  }

  void repeat(const Arrival& arrival, Latest& latest) {
    if (arrival.received_at > latest.timestamp) {
      latest.timestamp = arrival.received_at;
      plan_.touched.push_back({latest.ref, arrival.received_at});
    }
    note_inventory(arrival);
    book(arrival, Outcome::unchanged, latest.ref, "");
  }

  void advance(std::size_t index) {
    const Arrival& arrival = batch_[index];
    const Derived& derived = *derived_[index];
    Latest& latest = latest_[arrival.system_id];
    SystemUpdate& update = note_inventory(arrival);
    if (latest.derived_hash != derived.fingerprint) {
      update.facts = derived.facts;
      if (derived.applications) sync(arrival, derived);
    }
    latest = {add_record(index, derived.fingerprint, false), arrival.received_at, arrival.hash,
              derived.fingerprint};
    book(arrival, Outcome::stored, latest.ref, "");
  }

  // Writes all applications, or those that differ from what the store has. An earlier sync of this batch is
  // replaced: it would be overwritten at once.
  void sync(const Arrival& arrival, const Derived& derived) {
    ApplicationSync sync{arrival.system_id, {}, arrival.received_at, {}};
    const std::string& before = stored_[arrival.system_id];
    const auto known = before.empty() ? nullptr : recent_.applications.find(before);
    std::size_t still_there = 0;
    for (const ApplicationOutline& outline : *derived.applications) {
      const std::uint64_t* stored = nullptr;
      if (known != nullptr) {
        const auto found = known->find(outline.module_id);
        if (found != known->end()) stored = &found->second;
      }
      if (stored != nullptr) ++still_there;
      if (stored != nullptr && *stored == outline.fingerprint) {
        sync.unchanged.push_back(outline.module_id);
      } else {
        sync.applications.push_back(derived.spell_out(outline));
      }
    }
    sync.none_vanished = known != nullptr && still_there == known->size();
    if (sync.none_vanished && sync.applications.empty()) {
      syncs_.erase(arrival.system_id);
    } else {
      syncs_[arrival.system_id] = std::move(sync);
    }
  }

  RecordRef add_record(std::size_t index, std::string derived_hash, bool late) {
    plan_.records.push_back({index, std::move(derived_hash), late});
    return {std::nullopt, plan_.records.size() - 1};
  }

  SystemUpdate& note_inventory(const Arrival& arrival) {
    SystemUpdate& update = updates_[arrival.system_id];
    update.system_id = arrival.system_id;
    update.last_inventory_at = std::max(update.last_inventory_at, arrival.received_at);
    return update;
  }

  void book(const Arrival& arrival, Outcome outcome, std::optional<RecordRef> record, std::string reason) {
    plan_.processed.push_back(
        {arrival.message_id, arrival.system_id, outcome, record, std::move(reason), arrival.received_at});
  }

  std::span<const Arrival> batch_;
  std::span<const std::shared_ptr<const Derived>> derived_;
  const IntakeState& state_;
  Recent& recent_;
  IntakePlan plan_;
  std::vector<Rejected> rejected_;
  std::set<MessageId> seen_;
  std::map<SystemId, Latest> latest_;
  std::map<SystemId, std::string> stored_;  // the store's derived_hash
  std::map<SystemId, SystemUpdate> updates_;
  std::map<SystemId, ApplicationSync> syncs_;
};

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::stored:
      return "stored";
    case Outcome::unchanged:
      return "unchanged";
    case Outcome::dead:
      return "dead";
  }
  return "dead";
}

std::shared_ptr<const Derived> read_derived(const Arrival& arrival, const ApplicationRules& rules,
                                            Recent& recent) {
  auto document = recent.documents.find(arrival.hash);
  if (document == nullptr) {
    auto parsed = json::Document::parse_checked(arrival.document);
    if (!parsed) return std::make_shared<const Derived>();
    document = std::make_shared<const json::Document>(*std::move(parsed));
    recent.documents.put(arrival.hash, document, document->bytes());
  }
  auto derived = std::make_shared<Derived>(derive(document->root(), rules));
  derived->document = document;
  if (derived->applications && recent.applications.find(derived->fingerprint) == nullptr) {
    auto fingerprints = std::make_shared<ApplicationFingerprints>();
    for (const ApplicationOutline& outline : *derived->applications) {
      fingerprints->emplace_hint(fingerprints->end(), outline.module_id, outline.fingerprint);
    }
    recent.applications.put(derived->fingerprint, std::move(fingerprints), 1);
  }
  return derived;
}

IntakeDecision decide_intake(std::span<const Arrival> batch,
                             std::span<const std::shared_ptr<const Derived>> derived,
                             const IntakeState& state, Recent& recent) {
  return Planner(batch, derived, state, recent).decide();
}

}  // namespace collect::inventory
