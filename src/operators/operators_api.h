// SPDX-License-Identifier: Apache-2.0
// The operator's API (docs/api.md): what is stored about systems, for those who run Collect. Read only.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "alerts/alert_store.h"
#include "base/clock.h"
#include "base/pool.h"
#include "inventory/history_store.h"
#include "inventory/tally_store.h"
#include "liveness/link_failure_store.h"
#include "net/router.h"
#include "operators/guard.h"
#include "operators/listing.h"
#include "queue/monitor.h"
#include "systems/system_store.h"

namespace collect::operators {

// GET /api/openapi.yaml, open to all: it says nothing but what is in every copy of this program.
void add_openapi(net::Router& router);

// A request with its query, while it is answered.
struct Ask {
  const net::RequestHead& head;
  Parameters parameters;
};

class OperatorsApi {
 public:
  struct Sources {
    systems::SystemStore& systems;
    inventory::HistoryStore& history;
    inventory::TallyStore& tallies;
    alerts::AlertStore& alerts;
    liveness::LinkFailureStore& link_failures;
    queue::Monitor& queues;
    std::string_view version;
    std::string engine;  // in words
  };

  // All outlive this, and this the server that `router` belongs to.
  OperatorsApi(std::string_view token, Sources sources);
  OperatorsApi(const OperatorsApi&) = delete;
  OperatorsApi& operator=(const OperatorsApi&) = delete;
  void add_to(net::Router& router);

 private:
  using One = std::function<Result<net::Response>(Ask&)>;
  using Many = std::function<Result<Listing>(Ask&)>;
  void add_one(net::Router& router, std::string_view path, One answer);
  void add_many(net::Router& router, std::string_view path, const Many& list);

  // By its id or key, as the path has it; deleted ones too.
  Result<systems::System> system_of(const Ask& ask);
  Result<Listing> list_systems(Ask& ask);
  Result<net::Response> show_system(Ask& ask);
  Result<Listing> list_records(Ask& ask);
  Result<net::Response> show_latest_record(Ask& ask);
  Result<net::Response> show_record(Ask& ask);
  net::Response record_response(const Ask& ask, const inventory::Record& record);
  Result<Listing> list_days(Ask& ask);
  Result<Listing> list_diffs(Ask& ask);
  Result<Listing> list_latest_diffs(Ask& ask);
  Listing diffs_of(const SystemId& system_id, const inventory::DiffFilter& filter);
  Result<net::Response> show_changes(Ask& ask);
  Result<Listing> list_alerts(Ask& ask);
  Result<net::Response> show_queues(Ask& ask);
  Result<net::Response> show_stats(Ask& ask);

  const Guard guard_;
  Sources sources_;
  // Apart from the appliances' threads: whoever browses must not keep inventories waiting. Exports hold their
  // thread for as long as their reader takes.
  Pool pages_;
  Pool exports_;
};

}  // namespace collect::operators
