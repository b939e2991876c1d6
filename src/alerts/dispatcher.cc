// SPDX-License-Identifier: Apache-2.0
#include "alerts/dispatcher.h"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <thread>
#include <tuple>
#include <utility>

#include "base/log.h"

namespace collect::alerts {
namespace {

constexpr std::chrono::milliseconds kStrayInterval{60'000};
// Of a lease, beyond the channel's timeout.
constexpr Duration kLeaseMargin = std::chrono::seconds(10);

auto key_of(const Grouping& grouping, const RateLimits& limits) {
  return std::tuple(grouping.window, grouping.max_group_size, limits.max_notifications_per_hour,
                    limits.max_critical_per_hour);
}

}  // namespace

class Dispatcher::Runner {
 public:
  Runner(const std::string& name, const ChannelConfig& config, const SenderOptions& options,
         const Dispatcher& of, ChannelCounters& counters)
      : name_(name),
        config_(config),
        options_(options),
        sender_(name, of.make_(config, options.grouping.max_group_size), options, of.store_, of.clock_,
                counters),
        thread_([this](const std::stop_token& stop) { run(stop); }) {}

  [[nodiscard]] bool is_for(const ChannelConfig& config, const DispatchRules& rules) const {
    return config_ == config &&
           key_of(options_.grouping, options_.rate_limits) == key_of(rules.grouping, rules.rate_limits);
  }
  void wake() {
    const std::lock_guard lock(mutex_);
    rung_ = true;
    bell_.notify_one();
  }
  void request_stop() { thread_.request_stop(); }
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const Duration pause = work(stop);
      std::unique_lock lock(mutex_);
      bell_.wait_for(lock, stop, pause, [this] { return rung_; });
      rung_ = false;
    }
    ended_ = true;
  }
  Duration work(const std::stop_token& stop) {
    try {
      return sender_.work(stop);
    } catch (const std::exception& bug) {
      log::error("dispatch_failed", {{"channel", name_}, {"error", bug.what()}});
      return ChannelSender::kLeastPause;
    }
  }

  const std::string name_;
  const ChannelConfig config_;
  const SenderOptions options_;
  ChannelSender sender_;
  std::mutex mutex_;
  std::condition_variable_any bell_;
  bool rung_ = false;  // guarded by mutex_
  std::atomic<bool> ended_ = false;
  std::jthread thread_;
};

DispatchRules dispatch_rules_of(const NotificationRules& rules) {
  return {rules.channels(), rules.grouping(), rules.rate_limits()};
}

Dispatcher::Dispatcher(NotificationStore& store, MakeChannel make, const Clock& clock)
    : store_(store),
      make_(std::move(make)),
      clock_(clock),
      stray_ticker_("stray_notifications", kStrayInterval, [this] { warn_of_strays(); }) {}

Dispatcher::~Dispatcher() {
  // All at once, so that their timeouts pass together.
  request_stop();
}

void Dispatcher::apply(const DispatchRules& rules) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    applied_ = true;
    std::erase_if(leaving_, [](const auto& runner) { return runner->ended(); });
    std::map<std::string, std::unique_ptr<Runner>> before = std::exchange(runners_, {});
    for (const auto& [name, config] : rules.channels) {
      strays_.erase(name);
      auto same = before.extract(name);
      if (!same.empty() && same.mapped()->is_for(config, rules)) {
        runners_.insert(std::move(same));
        continue;
      }
      if (!same.empty()) before.insert(std::move(same));
      const SenderOptions options{rules.grouping, rules.rate_limits, timeout_of(config) + kLeaseMargin};
      runners_.emplace(name, std::make_unique<Runner>(name, config, options, *this, counters_[name]));
    }
    for (auto& [name, runner] : before) {
      runner->request_stop();
      leaving_.push_back(std::move(runner));
    }
  }
  stray_ticker_.poke();
}

void Dispatcher::wake() {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, runner] : runners_) runner->wake();
}

void Dispatcher::request_stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  for (const auto& [name, runner] : runners_) runner->request_stop();
}

std::vector<ChannelCount> Dispatcher::counters() const {
  const std::lock_guard lock(mutex_);
  std::vector<ChannelCount> counts;
  for (const auto& [name, c] : counters_) counts.push_back({name, c.sent, c.failed, c.dead});
  return counts;
}

void Dispatcher::warn_of_strays() {
  const auto depths = store_.depths();
  if (!depths) return;  // the channels' own threads tell that the store is away
  const std::lock_guard lock(mutex_);
  if (!applied_) return;
  for (const ChannelDepth& depth : *depths) {
    if (depth.waiting + depth.pending == 0 || runners_.contains(depth.channel)) continue;
    if (!strays_.insert(depth.channel).second) continue;
    log::warn("channel_not_configured", {{"channel", depth.channel},
                                         {"waiting", static_cast<std::int64_t>(depth.waiting)},
                                         {"deliveries", static_cast<std::int64_t>(depth.pending)}});
  }
}

}  // namespace collect::alerts
