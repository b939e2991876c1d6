// SPDX-License-Identifier: Apache-2.0
// The threads that send: one for each channel of the rules in force.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "alerts/channel_sender.h"
#include "alerts/channels/make_channel.h"
#include "base/ticker.h"

namespace collect::alerts {

// What of NotificationRules sending has to know.
struct DispatchRules {
  std::map<std::string, ChannelConfig> channels;
  Grouping grouping;
  RateLimits rate_limits;
};
DispatchRules dispatch_rules_of(const NotificationRules& rules);

struct ChannelCount {
  std::string channel;
  std::uint64_t sent = 0;
  std::uint64_t failed = 0;
  std::uint64_t dead = 0;
};

// All functions are safe from any thread.
class Dispatcher {
 public:
  using MakeChannel = std::function<std::unique_ptr<Channel>(const ChannelConfig&, std::size_t most_shown)>;

  // `store` and `clock` outlive it. Sends nothing before apply().
  Dispatcher(NotificationStore& store, MakeChannel make, const Clock& clock);
  // Waits for what is being sent: as long as the slowest channel's timeout at most.
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // From now on these. Channels that stay as they are go on undisturbed; others are ended without waiting for
  // what they are sending. What waits for a channel that is not among them goes on waiting, which a warning
  // says once.
  void apply(const DispatchRules& rules);
  // Something new waits. Only a hint: each channel looks once a second.
  void wake();
  // Nothing new is sent; does not wait. apply() has no effect any more.
  void request_stop();

  // Of every channel that there was since the start.
  [[nodiscard]] std::vector<ChannelCount> counters() const;

 private:
  class Runner;
  void warn_of_strays();

  NotificationStore& store_;
  const MakeChannel make_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  // All guarded by mutex_.
  bool stopped_ = false;
  bool applied_ = false;
  std::map<std::string, ChannelCounters> counters_;  // entries stay where they are
  std::map<std::string, std::unique_ptr<Runner>> runners_;
  std::vector<std::unique_ptr<Runner>> leaving_;
  std::set<std::string> strays_;  // that were warned of
  Ticker stray_ticker_;
};

}  // namespace collect::alerts
