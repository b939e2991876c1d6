// SPDX-License-Identifier: Apache-2.0
// PORT. What is still to be told to whom: notifications wait per channel (written by AlertStore), are bundled
// into deliveries by a plan, and a delivery is tried until it is sent or given up. Nothing is ever dropped:
// a notification waits, or is in exactly one delivery, and a delivery that was given up stays for people.
//
// Several processes may work on one channel: plans are made one at a time, and a claimed delivery is nobody
// else's until its lease ends. A claim whose owner dies is tried again under the same id.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/alert.h"
#include "base/result.h"

namespace collect::alerts {

struct Waiting {
  NotificationId id{};
  SystemId system_id;
  OrganizationId organization_id;  // of the system when it was written: organization.logto_id
  bool critical = false;           // severity of the alert
  Time since{};                    // when it was written
};

// A delivery that was planned not long ago, whatever became of it.
struct Recent {
  OrganizationId organization_id;
  std::optional<SystemId> system_id;  // none: a summary
  bool critical = false;
  Time at{};
};

struct DispatchState {
  // Oldest first; of each organization at most `limit` critical and `limit` other ones, so that what one
  // organization holds back hides nobody else's.
  std::vector<Waiting> waiting;
  std::vector<Recent> recent;  // created at or after `recent_since`, oldest first
};

struct NewDelivery {
  std::string id;  // a UUID
  OrganizationId organization_id;
  std::optional<SystemId> system_id;  // none: a summary
  bool critical = false;
  std::vector<NotificationId> notifications;  // at least one
};
using PlanDeliveries = std::function<std::vector<NewDelivery>(const DispatchState&)>;

enum class DeliveryState : std::uint8_t { pending, sent, dead };
std::string_view to_string(DeliveryState state);
std::optional<DeliveryState> parse_delivery_state(std::string_view word);

// What became of an attempt.
struct Attempted {
  DeliveryState state = DeliveryState::sent;  // pending: try again at `next`
  Time next{};
  std::string error;  // empty when sent
};

struct ListedDelivery {
  std::string id;
  std::string channel;
  OrganizationId organization_id;
  std::optional<SystemId> system_id;
  DeliveryState state = DeliveryState::pending;
  int attempts = 0;
  std::string error;  // of the last failed attempt
  std::size_t notifications = 0;
  Time created_at{};
  std::optional<Time> next_attempt_at;
  std::optional<Time> sent_at;
};

struct ChannelDepth {
  std::string channel;
  std::uint64_t waiting = 0;  // notifications in no delivery
  std::uint64_t pending = 0;  // deliveries
  std::uint64_t dead = 0;
};

class NotificationStore {
 public:
  virtual ~NotificationStore() = default;

  // One transaction, one at a time for a channel: reads, asks, writes the deliveries as pending and due now.
  // How many were planned. With nothing waiting `plan` is not asked.
  virtual Result<std::size_t> plan(std::string_view channel, Time recent_since, std::size_t limit, Time now,
                                   const PlanDeliveries& plan) = 0;

  // Pending deliveries that are due and not claimed, oldest first, with all that is in them; claimed until
  // `until`. One whose alerts are all deleted has nothing to tell: it is deleted as well.
  virtual Result<std::vector<Delivery>> claim(std::string_view channel, Time now, Time until,
                                              std::size_t limit) = 0;

  // Ends a claim. An attempt that is not `sent` counts. A delivery that is not pending any more stays as it
  // is.
  virtual Result<void> finish(std::string_view delivery_id, const Attempted& attempted, Time now) = 0;

  // For operators: newest first. Without a state: all.
  virtual Result<std::vector<ListedDelivery>> list(std::optional<DeliveryState> state, std::size_t limit) = 0;
  // Dead ones become pending and due, with no attempts; one by its id, or all. How many.
  virtual Result<std::size_t> retry(std::optional<std::string> delivery_id, Time now) = 0;

  virtual Result<std::vector<ChannelDepth>> depths() = 0;
};

}  // namespace collect::alerts
