// SPDX-License-Identifier: Apache-2.0
#include "inventory/store_worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "base/json.h"
#include "inventory/intake.h"
#include "inventory/jobs.h"

namespace collect::inventory {
namespace {

Result<Time> read_time(std::string_view raw) {
  const auto document = json::Document::parse(raw);
  if (!document || !document->root().is_string()) return invalid("expected a text");
  return parse_rfc3339(document->root().text);
}

// The quoted text at the start of `rest`, which moves on behind it. Nullopt: there is none, or one with
// escapes.
std::optional<std::string_view> skip_text(std::string_view& rest) {
  const std::size_t end = rest.starts_with('"') ? rest.find('"', 1) : std::string_view::npos;
  if (end == std::string_view::npos) return std::nullopt;
  const auto text = rest.substr(1, end - 1);
  if (text.find('\\') != std::string_view::npos) return std::nullopt;
  rest.remove_prefix(end + 1);
  return text;
}

bool skip(std::string_view& rest, std::string_view expected) {
  if (!rest.starts_with(expected)) return false;
  rest.remove_prefix(expected.size());
  return true;
}

// Data that InventoryApi wrote: the usual case. Its document is parsed anyway, and that tells whether it is
// one object up to the end. Anything else: nullopt, for the general way.
std::optional<Arrival> read_usual(const queue::Message& message, Recent& recent, Time now) {
  std::string_view rest = message.data;
  if (!skip(rest, "{\"system_id\":") || !skip_text(rest) || !skip(rest, ",\"timestamp\":"))
    return std::nullopt;
  const auto timestamp = skip_text(rest);
  const auto received_at = timestamp ? parse_rfc3339(*timestamp) : invalid("no time");
  std::optional<Time> sender_time;
  if (skip(rest, ",\"sender_timestamp\":")) {
    const auto sent = skip_text(rest);
    const auto time = sent ? parse_rfc3339(*sent) : invalid("no time");
    if (!time) return std::nullopt;
    sender_time = *time;
  }
  if (!received_at || message.system_id.empty() || !skip(rest, ",\"data\":") || !rest.starts_with('{') ||
      !rest.ends_with("}}"))
    return std::nullopt;
  rest.remove_suffix(1);
  Arrival out;
  out.message_id = message.id;
  out.system_id = message.system_id;
  out.received_at = std::min(*received_at, now);
  out.sender_time = sender_time;
  out.hash = to_hex(sha256(rest));
  if (recent.documents.find(out.hash) == nullptr) {
    auto parsed = json::Document::parse_checked(rest);
    if (!parsed) return std::nullopt;
    const auto document = std::make_shared<const json::Document>(*std::move(parsed));
    recent.documents.put(out.hash, document, document->bytes());
  }
  out.document = rest;
  return out;
}

}  // namespace

Result<Arrival> read_arrival(const queue::Message& message, Recent& recent, Time now) {
  if (auto usual = read_usual(message, recent, now)) return *std::move(usual);
  Arrival out;
  out.message_id = message.id;
  out.system_id = message.system_id;
  out.received_at = message.created_at;
  const auto members = json::raw_members(message.data);
  if (!members) return invalid("data: " + members.failure().message);
  std::string_view document;
  for (const json::RawMember& member : *members) {
    if (member.key == "data") {
      document = member.text;
    } else if (member.key == "timestamp") {
      const auto time = read_time(member.text);
      if (!time) return invalid("data.timestamp: " + time.failure().message);
      out.received_at = *time;
    } else if (member.key == "sender_timestamp") {
      if (const auto time = read_time(member.text)) out.sender_time = *time;
    } else if (member.key == "system_id" && out.system_id.empty()) {
      const auto id = json::Document::parse(member.text);
      if (id && id->root().is_string()) out.system_id = SystemId(std::string(id->root().text));
    }
  }
  if (out.system_id.empty()) return invalid("system_id is missing");
  if (!document.starts_with('{')) return invalid("data.data: expected an inventory (a JSON object)");
  // A time from the future would make everything that follows look late.
  out.received_at = std::min(out.received_at, now);
  out.document = std::string(document);
  out.hash = to_hex(sha256(document));
  return out;
}

StoreWorker::StoreWorker(IntakeStore& store, Rules rules, Recent& recent, const Clock& clock)
    : store_(store), rules_(std::move(rules)), recent_(recent), clock_(clock) {}

Result<std::vector<queue::Outcome>> StoreWorker::handle(std::span<const queue::Message> messages,
                                                        const queue::StillOurs& still_ours) {
  const Time now = clock_.now();
  std::vector<queue::Outcome> outcomes(messages.size(), queue::Done{});
  const auto rules = rules_();
  std::vector<Work> batch;
  batch.reserve(messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    auto arrival = read_arrival(messages[i], recent_, now);
    if (arrival) {
      auto derived = read_derived(*arrival, *rules, recent_);
      batch.push_back({i, std::move(*arrival), std::move(derived)});
    } else {
      outcomes[i] = queue::Failed{arrival.failure().message};
    }
  }
  if (!still_ours()) return conflict("the batch belongs to another worker now");
  std::set<SystemId> to_compare;
  if (auto stored = store(batch, outcomes, to_compare); !stored) return stored.failure();
  for (const Work& work : batch) {
    auto* done = std::get_if<queue::Done>(&outcomes[work.index]);
    if (done == nullptr || to_compare.erase(work.arrival.system_id) == 0) continue;
    done->onward.push_back(comparison_job(work.arrival.system_id, messages[work.index].max_attempts, now));
  }
  return outcomes;
}

// One transaction for all; when the engine refuses a value, halves of the batch, so that one bad message
// never takes its neighbours with it.
Result<void> StoreWorker::store(std::span<Work> batch, std::vector<queue::Outcome>& outcomes,
                                std::set<SystemId>& to_compare) {
  if (batch.empty()) return {};
  std::vector<Arrival> arrivals;
  arrivals.reserve(batch.size());
  std::vector<std::shared_ptr<const Derived>> derived;
  derived.reserve(batch.size());
  for (Work& work : batch) {
    arrivals.push_back(std::move(work.arrival));
    derived.push_back(work.derived);
  }
  std::vector<Rejected> rejected;
  std::set<MessageId> redelivered;
  std::vector<std::size_t> current;  // arrivals that became records to be compared
  std::uint64_t unchanged = 0;
  std::uint64_t kept = 0;
  const auto result = store_.take_in(arrivals, clock_.now(), [&](const IntakeState& state) {
    IntakeDecision decision = decide_intake(arrivals, derived, state, recent_);
    rejected = std::move(decision.rejected);
    redelivered = state.processed;
    current.clear();
    for (const NewRecord& record : decision.plan.records) {
      if (!record.late) current.push_back(record.arrival);
    }
    kept = decision.plan.records.size();
    unchanged = decision.plan.processed.size() - kept;
    return std::move(decision.plan);
  });
  for (std::size_t i = 0; i < batch.size(); ++i) batch[i].arrival = std::move(arrivals[i]);

  if (!result && result.failure().kind == FailureKind::invalid) {
    if (batch.size() == 1) {
      outcomes[batch[0].index] = queue::Failed{result.failure().message};
      return {};
    }
    const std::size_t half = batch.size() / 2;
    if (auto first = store(batch.first(half), outcomes, to_compare); !first) return first;
    return store(batch.subspan(half), outcomes, to_compare);
  }
  if (!result) return result.failure();

  for (const Rejected& one : rejected) outcomes[batch[one.arrival].index] = queue::Failed{one.reason};
  counters_.redelivered += redelivered.size();
  for (const Work& work : batch) {
    // Redelivered: whoever stored it may have died before it passed the job on.
    if (redelivered.contains(work.arrival.message_id)) to_compare.insert(work.arrival.system_id);
  }
  for (const std::size_t arrival : current) to_compare.insert(batch[arrival].arrival.system_id);
  counters_.stored += kept;
  counters_.unchanged += unchanged;
  return {};
}

Result<std::map<MessageId, queue::Done>> StoreWorker::bury(std::span<const queue::Message> dead) {
  std::vector<ProcessedMessage> booked;
  for (const queue::Message& message : dead) {
    booked.push_back({message.id, message.system_id, Outcome::dead, std::nullopt,
                      message.error.value_or("no reason given"), message.created_at});
  }
  const Time now = clock_.now();
  const auto alive = store_.book_dead(booked, now);
  if (!alive) return alive.failure();
  counters_.dead += dead.size() - alive->size();  // not once for each try
  std::map<MessageId, queue::Done> done;
  for (const queue::Message& message : dead) {
    if (!alive->contains(message.id)) continue;
    auto& follows = done[message.id].onward;
    if (!message.system_id.empty())  // else the sweep finds what is left to do
      follows.push_back(comparison_job(message.system_id, message.max_attempts, now));
  }
  return done;
}

}  // namespace collect::inventory
