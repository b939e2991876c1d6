// SPDX-License-Identifier: Apache-2.0
// /metrics: what the parts counted, in the Prometheus text format. The names are the product's interface.
#pragma once

#include <string>
#include <vector>

#include "alerts/alert_worker.h"
#include "alerts/dispatcher.h"
#include "inventory/diff_worker.h"
#include "inventory/inventory_api.h"
#include "inventory/store_worker.h"
#include "liveness/heartbeat_writer.h"
#include "net/counters.h"
#include "queue/monitor.h"
#include "systems/authenticator.h"

namespace collect::app {

// nullptr: that part does not run in this process.
struct Counted {
  const net::ServerCounters* server = nullptr;
  const inventory::DoorCounters* door = nullptr;
  const systems::AuthCounters* authentication = nullptr;
  const inventory::StoreCounters* store = nullptr;
  const inventory::DiffCounters* diff = nullptr;
  const alerts::AlertCounters* alerts = nullptr;
  std::vector<alerts::ChannelCount> channels = {};
  std::vector<alerts::ChannelDepth> channel_depths = {};
  const liveness::HeartbeatCounters* heartbeats = nullptr;
  std::vector<std::pair<std::string, const queue::ConsumerCounters*>> workers;  // by the thread's name
};

std::string metrics_page(const Counted& counted, const std::optional<queue::Reading>& queues);

}  // namespace collect::app
