// SPDX-License-Identifier: Apache-2.0
// POST /api/systems/inventory and GET /api/systems/inventory/receipts/{receipt}.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "base/clock.h"
#include "base/histogram.h"
#include "inventory/budget.h"
#include "inventory/intake_store.h"
#include "net/router.h"
#include "queue/message.h"
#include "systems/authenticator.h"

namespace collect::inventory {

// Each number only grows; readable from any thread.
struct DoorCounters {
  std::atomic<std::uint64_t> accepted{0};     // 202
  std::atomic<std::uint64_t> bad{0};          // 400, 413, 415
  std::atomic<std::uint64_t> over_budget{0};  // 429
  std::atomic<std::uint64_t> unavailable{0};  // 503
  std::atomic<std::uint64_t> accepted_bytes{0};
  Histogram accept_time;  // of those with a 202, from the whole body to the queue's word
};

class InventoryApi {
 public:
  struct Options {
    std::uint64_t max_request_bytes = 10U << 20U;
    std::int64_t budget_per_minute = 0;
    int max_attempts = 3;
    std::chrono::hours receipts_kept{24 * 7};
  };
  // Puts the text into the inventory queue; returns when it is as durable as the engine promises.
  using Enqueue = std::function<Result<void>(std::string text)>;

  // All outlive it.
  InventoryApi(Enqueue enqueue, IntakeStore& store, const Clock& clock, Options options);

  void add_to(net::Router& router, systems::Authenticator& authenticator);

  net::Response post(const systems::System& system, net::Request request);
  net::Response receipt(const systems::System& system, const net::Request& request);

  [[nodiscard]] const DoorCounters& counters() const { return counters_; }

 private:
  net::Response too_large() const;
  net::Response accept(const systems::System& system, std::string_view document,
                       std::optional<Time> sender_time);
  Time receive_time();

  Enqueue enqueue_;
  IntakeStore& store_;
  const Clock& clock_;
  const Options options_;
  Budget budget_;
  DoorCounters counters_;
  std::atomic<Time::rep> last_received_{0};
};

}  // namespace collect::inventory
