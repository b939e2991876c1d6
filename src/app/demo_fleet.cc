// SPDX-License-Identifier: Apache-2.0
#include "app/demo_fleet.h"

#include <fmt/format.h>

#include <algorithm>

#include "fleet/dice.h"

namespace collect::app {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t kThreads = 8;
constexpr std::size_t kReportBytes = 30'000;
constexpr double kEventProbability = 0.3;
constexpr std::uint64_t kReportsPerHeartbeat = 4;
// After the end of the demo, for a report that Collect asked to send again later.
constexpr std::chrono::seconds kPatience{10};

}  // namespace

struct DemoFleet::Member {
  std::size_t story;  // index into stories_
  fleet::Appliance appliance;
  fleet::Credentials credentials;
  fleet::Dice dice;
  steady_clock::time_point due;
  std::uint64_t sent = 0;
};

DemoFleet::DemoFleet(std::string url, std::vector<Enlisted> systems) : url_(std::move(url)) {
  members_.resize(std::min(kThreads, systems.size()));
  const auto now = steady_clock::now();
  for (std::size_t i = 0; i < systems.size(); ++i) {
    const auto& system = systems[i];
    Member member{i,
                  fleet::Appliance({.kind = system.kind,
                                    .seed = system.seed,
                                    .size_bytes = kReportBytes,
                                    .event_probability = kEventProbability}),
                  system.credentials,
                  fleet::Dice(system.seed),
                  now,
                  0};
    member.due += std::chrono::milliseconds(member.dice.between(0, 2000));
    members_[i % members_.size()].push_back(std::move(member));
  }
  for (auto& system : systems) stories_.push_back({std::move(system), 0, {}});
  for (auto& members : members_) threads_.emplace_back([this, &members] { work(members); });
}

DemoFleet::~DemoFleet() {
  stop();
}

void DemoFleet::stop() {
  stopping_ = true;
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

FleetProgress DemoFleet::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

std::vector<Story> DemoFleet::stories() const {
  const std::lock_guard lock(mutex_);
  return stories_;
}

bool DemoFleet::fail(Failure failure) {
  const std::lock_guard lock(mutex_);
  if (!progress_.failure) progress_.failure = std::move(failure);
  return false;
}

void DemoFleet::sleep_until(steady_clock::time_point time) const {
  while (!stopping_ && steady_clock::now() < time)
    std::this_thread::sleep_for(std::min<steady_clock::duration>(time - steady_clock::now(), 50ms));
}

void DemoFleet::work(std::vector<Member>& members) {
  fleet::Client client(url_);
  const auto earlier = [](const Member& a, const Member& b) { return a.due < b.due; };
  while (!stopping_) {
    auto& member = *std::min_element(members.begin(), members.end(), earlier);
    sleep_until(member.due);
    if (stopping_) return;
    if (!report(client, member)) return;
    member.due = steady_clock::now() + std::chrono::milliseconds(member.dice.between(2000, 3000));
  }
}

// False: this will not get better.
bool DemoFleet::report(fleet::Client& client, Member& member) {
  const auto& report = member.sent == 0 ? member.appliance.first() : member.appliance.next();
  auto patience_ends = steady_clock::time_point::max();
  const auto patient = [&](std::chrono::seconds pause) {
    const std::lock_guard lock(mutex_);
    ++progress_.asked_to_wait;
    const auto now = steady_clock::now();
    if (stopping_) patience_ends = std::min(patience_ends, now + kPatience);
    return now + pause < patience_ends;
  };
  const auto answer =
      client.post_until_taken("/api/systems/inventory", report.json, member.credentials, patient);
  if (!answer) return fail(answer.failure());
  if (answer->status != 202) {
    return fail(
        internal(fmt::format("expected 202 for an inventory, got {}: {}", answer->status, answer->body)));
  }
  const bool beats = member.sent++ % kReportsPerHeartbeat == 0;
  {
    const std::lock_guard lock(mutex_);
    auto& story = stories_[member.story];
    ++story.reports;
    ++progress_.reports;
    if (report.event) {
      ++progress_.events;
      progress_.latest = story.system.name + ": " + report.event->words;
      story.events.push_back(*report.event);
    }
  }
  if (!beats) return true;
  const auto acknowledged = client.post("/api/systems/heartbeat", "", member.credentials);
  if (!acknowledged) return fail(acknowledged.failure());
  const std::lock_guard lock(mutex_);
  if (acknowledged->status == 200) ++progress_.heartbeats;
  return true;
}

}  // namespace collect::app
