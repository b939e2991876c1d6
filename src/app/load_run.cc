// SPDX-License-Identifier: Apache-2.0
#include "app/load_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <future>
#include <thread>
#include <utility>

#include "base/json.h"

namespace collect::app {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr double kAlways = 1.0;
constexpr auto kLookEvery = 20ms;
constexpr auto kGiveUp = 60s;
constexpr auto kShowEvery = 1s;
constexpr std::size_t kPage = 1000;

// Of all connections, while they work.
struct Counted {
  std::atomic<std::uint64_t> accepted = 0;
  std::atomic<std::uint64_t> refused = 0;
};

// One connection and the systems that share it.
class Sender {
 public:
  Sender(const LoadPlan& plan, std::size_t number, Counted& counted)
      : plan_(plan), number_(number), counted_(counted), client_(plan.url) {}

  void add(const Enlisted& system) {
    members_.push_back({fleet::Appliance({.kind = system.kind,
                                          .seed = system.seed,
                                          .size_bytes = plan_.report_bytes,
                                          .event_probability = kAlways}),
                        system.credentials,
                        {system.id, 0, 0, {}}});
  }

  // Each system's first one; nothing of it is counted but that it was accepted.
  void warm_up() {
    for (Member& member : members_) {
      const auto until = steady_clock::now() + kGiveUp;
      if (!send(member, steady_clock::now(), until)) break;
    }
    const auto failed = result_.failed;
    const auto first_failure = result_.first_failure;
    warmed_up_ = std::exchange(result_, {}).accepted;
    result_.failed = failed;
    result_.first_failure = first_failure;
  }
  [[nodiscard]] std::uint64_t warmed_up() const { return warmed_up_; }
  void copy_posted(std::vector<Posted>& all) const {
    for (const auto& member : members_) all.push_back(member.posted);
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
    if (plan_.heartbeats) return send(member, "/api/systems/heartbeat", nullptr, due, end);
    const auto& report = member.begun ? member.appliance.next() : member.appliance.first();
    member.begun = true;
    return send(member, "/api/systems/inventory", &report, due, end);
  }

  bool send(Member& member, std::string_view path, const fleet::Report* report, steady_clock::time_point due,
            steady_clock::time_point end) {
    const std::string_view body = report == nullptr ? std::string_view() : report->json;
    for (;;) {
      const auto sent = steady_clock::now();
      if (plan_.connection_each) client_ = fleet::Client(plan_.url);
      auto answer = client_.post(path, body, member.credentials);
      const auto answered = steady_clock::now();
      if (answer && answer->status == (report == nullptr ? 200 : 202)) {
        ++result_.accepted;
        ++counted_.accepted;
        result_.accepted_bytes += body.size();
        result_.latencies.push_back(
            std::chrono::duration_cast<microseconds>(answered - (plan_.rate ? due : sent)));
        ++member.posted.accepted;
        if (report != nullptr && report->event) member.posted.changes += report->event->changes.size();
        member.posted.last_answer = std::move(answer->body);
        return true;
      }
      if (!answer || (answer->status != 429 && answer->status != 503)) return fail(answer);
      ++(answer->status == 429 ? result_.refused_429 : result_.refused_503);
      ++counted_.refused;
      const auto pause = answer->retry_after.value_or(1s);
      if (answered + pause >= end) return false;  // it would come too late
      std::this_thread::sleep_for(pause);
    }
  }

  bool fail(const Result<fleet::Answer>& answer) {
    ++result_.failed;
    if (result_.first_failure.empty()) {
      result_.first_failure = answer ? fmt::format("not accepted: {}, {}", answer->status, answer->body)
                                     : answer.failure().message;
    }
    return false;
  }

  const LoadPlan& plan_;
  const std::size_t number_;
  Counted& counted_;
  fleet::Client client_;
  std::vector<Member> members_;
  PostingResult result_;
  std::uint64_t warmed_up_ = 0;
};

template <class Work>
std::vector<std::future<void>> with_each(std::vector<Sender>& senders, const Work& work) {
  std::vector<std::future<void>> running;
  running.reserve(senders.size());
  for (auto& sender : senders) {
    running.push_back(std::async(std::launch::async, [&sender, &work] { work(sender); }));
  }
  return running;
}

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
  inventory::RecordFilter page;
  for (std::size_t got = kPage; got == kPage;) {
    const auto records = stores.history.records(system_id, page, kPage);
    if (!records) return records.failure();
    got = records->size();
    for (const auto& record : *records) {
      ++processed.records;
      processed.compared += record.processed_at ? 1U : 0U;
      processed.changes += static_cast<std::uint64_t>(record.change_count);
    }
    if (got > 0) page.before = records->back().id;
  }
  return {};
}

}  // namespace

microseconds PostingResult::percentile(double of_hundred) const {
  if (latencies.empty()) return microseconds(0);
  const auto rank = std::ceil(of_hundred / 100 * static_cast<double>(latencies.size()));
  return latencies[std::max<std::size_t>(static_cast<std::size_t>(rank), 1) - 1];
}

PostingResult post(const LoadPlan& plan, const std::vector<Enlisted>& systems, const Warm& warm,
                   const ShowProgress& show) {
  Counted counted;
  std::vector<Sender> senders;
  const auto connections = std::min(plan.connections, systems.size());
  LoadPlan shared = plan;
  shared.connections = connections;
  senders.reserve(connections);
  for (std::size_t i = 0; i < connections; ++i) senders.emplace_back(shared, i, counted);
  for (std::size_t i = 0; i < systems.size(); ++i) senders[i % connections].add(systems[i]);

  PostingResult all;
  if (plan.warm_up) {
    for (auto& one : with_each(senders, [](Sender& sender) { sender.warm_up(); })) one.get();
    PostingResult until_now;
    for (const auto& sender : senders) {
      all.warmed_up += sender.warmed_up();
      sender.copy_posted(until_now.systems);
    }
    warm(until_now);
    counted.accepted = 0;
  }
  all.began = steady_clock::now();
  {
    auto running = with_each(senders, [&all](Sender& sender) { sender.run(all.began); });
    auto next = all.began;
    for (auto& one : running) {
      while (one.wait_until(next + kShowEvery) == std::future_status::timeout) {
        next += kShowEvery;
        show({std::chrono::duration_cast<std::chrono::milliseconds>(next - all.began), counted.accepted,
              counted.refused});
      }
      one.get();
    }
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

Result<Processed> wait_until_written(backend::Stores& stores, const PostingResult& posted, Time began) {
  Processed processed;
  for (const auto& system : posted.systems) {
    const auto until = steady_clock::now() + kGiveUp;
    while (system.accepted > 0) {
      const auto login = stores.systems.find(system.system_id.text());
      if (!login) return login.failure();
      const auto last = *login ? (*login)->system.last_heartbeat : std::nullopt;
      if (last && *last >= began) {
        ++processed.compared;
        break;
      }
      if (steady_clock::now() > until) {
        return unavailable(
            fmt::format("system {}: its heartbeats were acknowledged, none was written for {} s",
                        system.system_id.text(), kGiveUp.count()));
      }
      std::this_thread::sleep_for(kLookEvery);
    }
  }
  processed.ended = steady_clock::now();
  return processed;
}

}  // namespace collect::app
