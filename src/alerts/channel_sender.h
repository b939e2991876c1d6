// SPDX-License-Identifier: Apache-2.0
// The discipline of one channel: what waits is planned, what is due is sent, one delivery at a time, and what
// failed comes again or is given up.
//   unavailable  the whole channel pauses: 5 s, 10 s, 20 s … 5 min while it lasts, with jitter; each attempt
//                is the next delivery's turn, and nothing new is planned meanwhile, so that what piles up is
//                bundled. A delivery is given up when an attempt fails after a day.
//   invalid      the delivery alone waits, in the same steps, and is given up at the fifth attempt.
// A store that is away is waited for; what became of an attempt is kept until it could be written.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "alerts/channel.h"
#include "alerts/notification_rules.h"
#include "alerts/notification_store.h"
#include "base/clock.h"
#include "base/outage.h"
#include "queue/backoff.h"

namespace collect::alerts {

// Each number only grows; readable from any thread.
struct ChannelCounters {
  std::atomic<std::uint64_t> sent{0};    // deliveries
  std::atomic<std::uint64_t> failed{0};  // attempts
  std::atomic<std::uint64_t> dead{0};    // deliveries given up
};

struct SenderOptions {
  Grouping grouping;
  RateLimits rate_limits;
  Duration lease = std::chrono::seconds(20);  // longer than a send() of the channel
};

// For one thread, but for the counters.
class ChannelSender {
 public:
  static constexpr Duration kPoll = std::chrono::seconds(1);
  static constexpr Duration kLeastPause = std::chrono::seconds(5);
  static constexpr Duration kMostPause = std::chrono::minutes(5);
  static constexpr Duration kGiveUpAfter = std::chrono::hours(24);
  static constexpr int kMostAttempts = 5;

  // `store`, `clock` and `counters` outlive it.
  ChannelSender(std::string name, std::unique_ptr<Channel> channel, SenderOptions options,
                NotificationStore& store, const Clock& clock, ChannelCounters& counters);

  // Sends until nothing is due, something failed or a stop is requested. How long to wait before the next
  // call, unless something new waits.
  Duration work(const std::stop_token& stop);

 private:
  struct Settled {
    std::string delivery_id;
    Attempted attempted;
  };

  Result<bool> send_next();  // false: nothing was due
  Result<bool> plan_more();  // false: nothing was planned
  Result<void> settle();     // writes what became of the last attempt
  void attempt(const Delivery& delivery);
  [[nodiscard]] Result<std::string> send(const Delivery& delivery);
  Attempted later(const Delivery& delivery, const Failure& failure);
  Attempted refused(const Delivery& delivery, const Failure& failure);
  Attempted given_up(const Delivery& delivery, const Failure& failure);
  Duration store_fault(const Failure& failure);

  const std::string name_;
  const std::unique_ptr<Channel> channel_;
  const SenderOptions options_;
  NotificationStore& store_;
  const Clock& clock_;
  ChannelCounters& counters_;

  std::optional<Settled> unsettled_;
  queue::Backoff pause_{kLeastPause, kMostPause};
  Time paused_until_{};
  Time no_plan_until_{};
  Outage peer_outage_;
  queue::Backoff store_pause_{std::chrono::milliseconds(100), std::chrono::seconds(30)};
  Outage store_outage_;
};

}  // namespace collect::alerts
