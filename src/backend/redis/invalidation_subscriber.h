// SPDX-License-Identifier: Apache-2.0
// The Redis channel on which processes tell each other that what they remember about a system no longer
// holds. What a payload means is decided in systems/revocation.h.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "backend/redis/connection.h"
#include "base/result.h"

namespace collect::redis {

// Tells every subscriber now. How many there were; none is no failure.
Result<std::int64_t> publish_invalidation(Connection& connection, std::string_view channel,
                                          std::string_view hmac_secret, std::string_view system_key);

struct InvalidationCounters {
  std::atomic<std::uint64_t> received{0}, ignored{0};  // ignored: no key, or not the right mac
  std::atomic<std::uint64_t> subscribed{0}, lost{0};   // times
};

class InvalidationSubscriber {
 public:
  struct Options {
    ConnectionOptions server;
    std::string channel;
    std::string hmac_secret;  // empty: payloads carry no mac
    // Silence after which the server is asked whether it is still there.
    std::chrono::milliseconds ping_interval{15'000};
    std::chrono::milliseconds first_backoff{100}, longest_backoff{5'000};
  };
  struct Handlers {
    std::function<void(std::string_view system_key)> revoked;
    // Messages may have been missed: forget everybody. Called when a subscription was lost, and when one
    // begins, for what was remembered in between.
    std::function<void()> missed;
  };

  // Subscribes on a thread of its own, and again, with growing pauses, whenever the subscription is lost. The
  // handlers are called on that thread; they must not block for long.
  InvalidationSubscriber(Options options, Handlers handlers);
  // Waits for the thread: a fraction of a second, or the server's timeouts when it hangs.
  ~InvalidationSubscriber();
  InvalidationSubscriber(const InvalidationSubscriber&) = delete;
  InvalidationSubscriber& operator=(const InvalidationSubscriber&) = delete;

  [[nodiscard]] bool subscribed() const { return subscribed_; }
  [[nodiscard]] const InvalidationCounters& counters() const { return counters_; }

 private:
  void work();
  Result<void> listen(Connection& connection);
  Result<void> handle(const Reply& reply);
  void begun();
  void lost(const Failure& failure);
  [[nodiscard]] bool stopping() const;
  void pause(std::chrono::milliseconds time);

  const Options options_;
  const Handlers handlers_;
  InvalidationCounters counters_;
  std::atomic<bool> subscribed_{false};
  bool reported_ = false;  // of this thread alone: the present trouble was logged
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;     // last: it uses everything above
};

}  // namespace collect::redis
