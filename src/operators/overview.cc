// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"
#include "operators/answer.h"
#include "operators/operators_api.h"

namespace collect::operators {
namespace {

// Rereading the queues for every look would load them more than their watcher does.
constexpr std::chrono::seconds kFreshEnough{2};

queue::Health worst_of(const queue::Reading& reading) {
  auto worst = queue::Health::healthy;
  for (const auto& depth : reading.depths) worst = std::max(worst, queue::health_of(depth));
  return worst;
}

void write_queue(json::Writer& out, queue::Stage stage, const queue::Depth& depth, Time at) {
  out.begin_object().member("stage", queue::to_string(stage));
  out.member("health", queue::to_string(queue::health_of(depth)));
  out.member("ready", depth.ready).member("claimed", depth.claimed);
  out.member("delayed", depth.delayed).member("dead", depth.dead).key("oldest_seconds");
  if (depth.oldest_ready) {
    out.value(std::max(std::chrono::duration<double>(at - *depth.oldest_ready).count(), 0.0));
  } else {
    out.value(nullptr);
  }
  out.end_object();
}

}  // namespace

Result<net::Response> OperatorsApi::show_queues(Ask& ask) {
  if (auto done = ask.parameters.done(); !done) return done.failure();
  const auto reading = sources_.queues.reading(kFreshEnough);
  if (!reading) return unavailable("the queues cannot be read");
  json::Writer out;
  out.begin_object().member("health", queue::to_string(worst_of(*reading)));
  out.member("read_at", to_rfc3339(reading->at)).key("queues").begin_array();
  for (const queue::Stage stage : queue::kStages) {
    write_queue(out, stage, reading->depths.at(static_cast<std::size_t>(stage)), reading->at);
  }
  out.end_array().end_object();
  return found(ask.head, "queues", out.text());
}

Result<net::Response> OperatorsApi::show_stats(Ask& ask) {
  if (auto done = ask.parameters.done(); !done) return done.failure();
  const auto fleet = sources_.link_failures.count();
  if (!fleet) return fleet.failure();
  alerts::AlertFilter open;
  open.resolved = false;
  const auto alerts = sources_.alerts.count(open);
  if (!alerts) return alerts.failure();
  const auto reading = sources_.queues.reading(kFreshEnough);
  std::uint64_t systems = 0;
  for (const auto& [status, count] : fleet->by_status) systems += count;

  json::Writer out;
  out.begin_object().member("version", sources_.version).member("engine", sources_.engine);
  out.key("systems").begin_object().member("total", systems).key("by_status").begin_object();
  for (const char* status : {"unknown", "active", "inactive"}) {
    const auto found = fleet->by_status.find(status);
    out.member(status, found == fleet->by_status.end() ? std::uint64_t{0} : found->second);
  }
  out.end_object().member("link_failed", fleet->link_failed).end_object();
  out.key("alerts").begin_object().member("open", alerts->count).member("open_exact", alerts->exact);
  out.end_object().key("queues").begin_object().key("health");
  reading ? out.value(queue::to_string(worst_of(*reading))) : out.value("unknown");
  out.end_object().end_object();
  return found(ask.head, "numbers", out.text());
}

}  // namespace collect::operators
