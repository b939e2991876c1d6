// SPDX-License-Identifier: Apache-2.0
// /metrics: what the parts counted, in the Prometheus text format. The names are the product's interface.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "alertmanager/proxy_api.h"
#include "alerts/alert_worker.h"
#include "alerts/dispatcher.h"
#include "backups/backup_api.h"
#include "backups/backup_service.h"
#include "base/histogram.h"
#include "election/runner.h"
#include "inventory/diff_worker.h"
#include "inventory/inventory_api.h"
#include "inventory/store_worker.h"
#include "liveness/heartbeat_writer.h"
#include "liveness/link_failed_monitor.h"
#include "net/counters.h"
#include "queue/monitor.h"
#include "retention/sweeper.h"
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
  const backups::BackupCounters* backups = nullptr;
  const backups::BackupApiCounters* backup_api = nullptr;
  const alertmanager::ProxyCounters* proxy = nullptr;
  std::uint64_t tenant_retries = 0;
  const liveness::LinkFailedCounters* link_failed = nullptr;
  const retention::SweepCounters* retention = nullptr;
  const election::Runner* runner = nullptr;
  std::map<std::string, std::uint64_t> rounds = {};  // of monitors, by name
  std::optional<liveness::FleetCount> fleet = {};    // none: the database is away
  struct Worker {
    std::string name;
    queue::Stage stage;
    const queue::ConsumerCounters* counters;
  };
  std::vector<Worker> workers = {};
};

std::string metrics_page(const Counted& counted, const std::optional<queue::Reading>& queues);

}  // namespace collect::app
