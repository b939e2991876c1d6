// SPDX-License-Identifier: Apache-2.0
#include "app/load_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "base/json.h"

namespace collect::app {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr double kAlways = 1.0;
constexpr auto kLookEvery = 20ms;
constexpr auto kGiveUp = 60s;
constexpr std::size_t kPage = 1000;

// One connection and the systems that share it.
class Sender {
 public:
  Sender(const LoadPlan& plan, std::size_t number) : plan_(plan), number_(number), client_(plan.url) {}

  void add(const Enlisted& system) {
    members_.push_back({fleet::Appliance({.kind = system.kind,
                                          .seed = system.seed,
                                          .size_bytes = plan_.report_bytes,
                                          .event_probability = kAlways}),
                        system.credentials,
                        {system.id, 0, 0, {}}});
  }

  void run(steady_clock::time_point start) {
    const auto end = start + plan_.duration;
    for (std::uint64_t turn = 0;; ++turn) {
      const auto due = due_at(start, turn);
      if (due >= end) return;
      std::this_thread::sleep_until(due);
      if (steady_clock::now() >= end) return;
      if (!send(members_[turn % members_.size()], due, end)) return;
    }
  }

  void add_to(PostingResult& all) {
    for (auto& member : members_) all.systems.push_back(std::move(member.posted));
    all.accepted += result_.accepted;
    all.accepted_bytes += result_.accepted_bytes;
    all.refused_429 += result_.refused_429;
    all.refused_503 += result_.refused_503;
    all.failed += result_.failed;
    if (all.first_failure.empty()) all.first_failure = result_.first_failure;
    all.latencies.insert(all.latencies.end(), result_.latencies.begin(), result_.latencies.end());
  }

 private:
  struct Member {
    fleet::Appliance appliance;
    fleet::Credentials credentials;
    Posted posted;
    bool begun = false;
  };

  // Connections take turns, so that the rate is even.
  [[nodiscard]] steady_clock::time_point due_at(steady_clock::time_point start, std::uint64_t turn) const {
    if (!plan_.rate) return start;
    const auto number = static_cast<double>(turn * plan_.connections + number_);
    return start + std::chrono::duration_cast<steady_clock::duration>(
                       std::chrono::duration<double>(number / *plan_.rate));
  }

  // False: this connection is done for.
  bool send(Member& member, steady_clock::time_point due, steady_clock::time_point end) {
    const auto& report = member.begun ? member.appliance.next() : member.appliance.first();
    member.begun = true;
    for (;;) {
      const auto sent = steady_clock::now();
      auto answer = client_.post("/api/systems/inventory", report.json, member.credentials);
      const auto answered = steady_clock::now();
      if (answer && answer->status == 202) {
        ++result_.accepted;
        result_.accepted_bytes += report.json.size();
        result_.latencies.push_back(
            std::chrono::duration_cast<microseconds>(answered - (plan_.rate ? due : sent)));
        ++member.posted.accepted;
        if (report.event) member.posted.changes += report.event->changes.size();
        member.posted.last_answer = std::move(answer->body);
        return true;
      }
      if (!answer || (answer->status != 429 && answer->status != 503)) return fail(answer);
      ++(answer->status == 429 ? result_.refused_429 : result_.refused_503);
      const auto pause = answer->retry_after.value_or(1s);
      if (answered + pause >= end) return false;  // it would come too late
      std::this_thread::sleep_for(pause);
    }
  }

  bool fail(const Result<fleet::Answer>& answer) {
    ++result_.failed;
    if (result_.first_failure.empty()) {
      result_.first_failure = answer ? fmt::format("expected 202, got {}: {}", answer->status, answer->body)
                                     : answer.failure().message;
    }
    return false;
  }

  const LoadPlan& plan_;
  const std::size_t number_;
  fleet::Client client_;
  std::vector<Member> members_;
  PostingResult result_;
};

Result<MessageId> last_receipt(const Posted& posted) {
  const auto document = json::Document::parse(posted.last_answer);
  const auto* receipt = document ? document->root().at({"data", "receipt"}) : nullptr;
  if (receipt == nullptr || !receipt->is_string())
    return internal(fmt::format("expected a 202 with data.receipt, got {}", posted.last_answer));
  return MessageId(std::string(receipt->text));
}

// True: it went to the dead letters.
Result<bool> wait_for(backend::Stores& stores, const Posted& posted) {
  const auto receipt = last_receipt(posted);
  if (!receipt) return receipt.failure();
  auto moved = steady_clock::now();
  std::optional<RecordId> latest_before;
  for (;;) {
    const auto became = stores.intake.receipt(posted.system_id, *receipt);
    if (!became) return became.failure();
    if (*became && ((*became)->compared || (*became)->outcome == inventory::Outcome::dead))
      return (*became)->outcome == inventory::Outcome::dead;
    const auto latest = stores.history.latest(posted.system_id);
    if (!latest) return latest.failure();
    const auto id = *latest ? std::optional((*latest)->id) : std::nullopt;
    if (id != latest_before) moved = steady_clock::now();
    latest_before = id;
    if (steady_clock::now() - moved > kGiveUp) {
      return unavailable(
          fmt::format("system {}: nothing moved for {} s before its last report (receipt {}) was compared",
                      posted.system_id.text(), kGiveUp.count(), receipt->text()));
    }
    std::this_thread::sleep_for(kLookEvery);
  }
}

Result<void> count(backend::Stores& stores, const SystemId& system_id, Processed& processed) {
  std::optional<RecordId> before;
  for (std::size_t got = kPage; got == kPage;) {
    const auto records = stores.history.records(system_id, before, kPage);
    if (!records) return records.failure();
    got = records->size();
    for (const auto& record : *records) {
      ++processed.records;
      processed.compared += record.processed_at ? 1U : 0U;
      processed.changes += static_cast<std::uint64_t>(record.change_count);
    }
    if (got > 0) before = records->back().id;
  }
  return {};
}

}  // namespace

microseconds PostingResult::percentile(double of_hundred) const {
  if (latencies.empty()) return microseconds(0);
  const auto rank = std::ceil(of_hundred / 100 * static_cast<double>(latencies.size()));
  return latencies[std::max<std::size_t>(static_cast<std::size_t>(rank), 1) - 1];
}

PostingResult post(const LoadPlan& plan, const std::vector<Enlisted>& systems) {
  std::vector<Sender> senders;
  const auto connections = std::min(plan.connections, systems.size());
  LoadPlan shared = plan;
  shared.connections = connections;
  senders.reserve(connections);
  for (std::size_t i = 0; i < connections; ++i) senders.emplace_back(shared, i);
  for (std::size_t i = 0; i < systems.size(); ++i) senders[i % connections].add(systems[i]);

  PostingResult all;
  all.began = steady_clock::now();
  {
    std::vector<std::jthread> threads;
    threads.reserve(connections);
    for (auto& sender : senders) threads.emplace_back([&sender, &all] { sender.run(all.began); });
  }
  all.ended = steady_clock::now();
  for (auto& sender : senders) sender.add_to(all);
  std::sort(all.latencies.begin(), all.latencies.end());
  return all;
}

Result<Processed> wait_until_processed(backend::Stores& stores, const PostingResult& posted) {
  Processed processed;
  for (const auto& system : posted.systems) {
    if (system.accepted == 0) continue;
    const auto died = wait_for(stores, system);
    if (!died) return died.failure();
    processed.dead += *died ? 1U : 0U;
  }
  processed.ended = steady_clock::now();
  for (const auto& system : posted.systems) {
    if (auto counted = count(stores, system.system_id, processed); !counted) return counted.failure();
  }
  return processed;
}

}  // namespace collect::app
