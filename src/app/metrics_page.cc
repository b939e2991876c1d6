// SPDX-License-Identifier: Apache-2.0
#include "app/metrics_page.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <map>

#include "app/version.h"

namespace collect::app {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

class Page {
 public:
  void counter(const std::string& name, const std::string& help, double value, const Labels& labels = {}) {
    prometheus::ClientMetric metric = labelled(labels);
    metric.counter.value = value;
    add(name, help, prometheus::MetricType::Counter, std::move(metric));
  }
  void counter(const std::string& name, const std::string& help, const std::atomic<std::uint64_t>& value,
               const Labels& labels = {}) {
    counter(name, help, static_cast<double>(value.load()), labels);
  }
  void gauge(const std::string& name, const std::string& help, double value, const Labels& labels = {}) {
    prometheus::ClientMetric metric = labelled(labels);
    metric.gauge.value = value;
    add(name, help, prometheus::MetricType::Gauge, std::move(metric));
  }
  [[nodiscard]] std::string text() const {
    std::vector<prometheus::MetricFamily> all;
    for (const std::string& name : order_) all.push_back(families_.at(name));
    return prometheus::TextSerializer().Serialize(all);
  }

 private:
  static prometheus::ClientMetric labelled(const Labels& labels) {
    prometheus::ClientMetric metric;
    for (const auto& [name, value] : labels) metric.label.push_back({name, value});
    return metric;
  }
  void add(const std::string& name, const std::string& help, prometheus::MetricType type,
           prometheus::ClientMetric metric) {
    auto [family, fresh] = families_.try_emplace(name, prometheus::MetricFamily{name, help, type, {}});
    if (fresh) order_.push_back(name);
    family->second.metric.push_back(std::move(metric));
  }

  std::map<std::string, prometheus::MetricFamily> families_;
  std::vector<std::string> order_;
};

void add_server(Page& page, const net::ServerCounters& server) {
  page.gauge("collect_http_connections_open", "Open connections.",
             static_cast<double>(server.connections_open));
  page.counter("collect_http_connections_total", "Accepted connections.", server.connections_accepted);
  page.counter("collect_http_requests_total", "Requests whose head was accepted.", server.requests);
  for (std::size_t i = 1; i < server.answers.size(); ++i) {
    page.counter("collect_http_responses_total", "Answers by status class.", server.answers.at(i),
                 {{"status", std::to_string(i) + "xx"}});
  }
  for (std::size_t i = 0; i < net::kRefusedKinds; ++i) {
    page.counter("collect_http_refused_total", "Requests and connections turned away by the door.",
                 server.refused.at(i),
                 {{"reason", std::string(net::to_string(static_cast<net::Refused>(i)))}});
  }
  page.counter("collect_http_received_bytes_total", "Bytes received.", server.bytes_in);
  page.counter("collect_http_sent_bytes_total", "Bytes sent.", server.bytes_out);
}

void add_inventory(Page& page, const Counted& counted) {
  const std::string name = "collect_inventories_total";
  const std::string help = "Inventories by outcome: accepted = stored + unchanged + dead + pending.";
  if (counted.door != nullptr) {
    page.counter(name, help, counted.door->accepted, {{"outcome", "accepted"}});
    page.counter("collect_inventories_refused_total", "Inventories refused.", counted.door->bad,
                 {{"reason", "bad"}});
    page.counter("collect_inventories_refused_total", "", counted.door->over_budget,
                 {{"reason", "over_budget"}});
    page.counter("collect_inventories_refused_total", "", counted.door->unavailable,
                 {{"reason", "unavailable"}});
    page.counter("collect_inventory_bytes_total", "Bytes of accepted inventories.",
                 counted.door->accepted_bytes);
  }
  if (counted.store != nullptr) {
    page.counter(name, help, counted.store->stored, {{"outcome", "stored"}});
    page.counter(name, help, counted.store->unchanged, {{"outcome", "unchanged"}});
    page.counter(name, help, counted.store->dead, {{"outcome", "dead"}});
    page.counter("collect_inventories_redelivered_total", "Messages that had their effects already.",
                 counted.store->redelivered);
  }
  if (counted.diff != nullptr) {
    page.counter("collect_records_compared_total", "Records compared with their predecessor.",
                 counted.diff->records);
    page.counter("collect_records_changed_total", "Records that changed something.",
                 counted.diff->changed_records);
    page.counter("collect_changes_total", "Changes stored.", counted.diff->changes);
  }
}

void add_alerts(Page& page, const Counted& counted) {
  if (counted.alerts != nullptr) {
    page.counter("collect_changes_notified_total", "Changes that went through the alert rules.",
                 counted.alerts->changes);
    page.counter("collect_alerts_total", "Alerts stored.", counted.alerts->alerts);
    page.counter("collect_alerts_resolved_total", "Alerts resolved by the inverse change.",
                 counted.alerts->resolved);
  }
  for (const alerts::ChannelCount& count : counted.channels) {
    const auto outcome = [&](const char* word, std::uint64_t value) {
      page.counter("collect_deliveries_total", "Messages to channels; failed counts attempts.",
                   static_cast<double>(value), {{"channel", count.channel}, {"outcome", word}});
    };
    outcome("sent", count.sent);
    outcome("failed", count.failed);
    outcome("dead", count.dead);
  }
  for (const alerts::ChannelDepth& depth : counted.channel_depths) {
    const Labels labels = {{"channel", depth.channel}};
    page.gauge("collect_notifications_waiting", "Notifications that grouping or limits hold back.",
               static_cast<double>(depth.waiting), labels);
    page.gauge("collect_deliveries_pending",
               "Messages on their way to a channel, or waiting to be tried again.",
               static_cast<double>(depth.pending), labels);
    page.gauge("collect_deliveries_given_up", "Messages that were given up and not sent again since.",
               static_cast<double>(depth.dead), labels);
  }
}

void add_systems(Page& page, const Counted& counted) {
  if (counted.authentication != nullptr) {
    const systems::AuthCounters& auth = *counted.authentication;
    page.counter("collect_auth_total", "Log-ins by outcome.", auth.admitted, {{"outcome", "admitted"}});
    page.counter("collect_auth_total", "", auth.refused, {{"outcome", "refused"}});
    page.counter("collect_auth_total", "", auth.unavailable, {{"outcome", "unavailable"}});
    page.counter("collect_auth_cache_hits_total", "Log-ins answered from memory.", auth.from_cache);
    page.counter("collect_auth_lookups_total", "Log-ins looked up in the database.", auth.looked_up);
  }
  if (counted.heartbeats != nullptr) {
    page.counter("collect_heartbeats_total", "Heartbeats received.", counted.heartbeats->noted);
    page.counter("collect_heartbeats_written_total", "Heartbeats written.", counted.heartbeats->written);
  }
}

void add_queues(Page& page, const Counted& counted, const std::optional<queue::Reading>& queues) {
  for (const auto& [worker, consumer] : counted.workers) {
    const Labels labels = {{"worker", worker}};
    page.counter("collect_worker_messages_total", "Messages handled.", consumer->handled, labels);
    page.counter("collect_worker_failed_total", "Failed attempts.", consumer->failed, labels);
    page.counter("collect_worker_dead_total", "Messages given up.", consumer->dead, labels);
    page.counter("collect_worker_faults_total", "Batches that met an outage.", consumer->faults, labels);
    page.counter("collect_worker_lease_lost_total", "Batches that another worker took over.",
                 consumer->lease_lost, labels);
    page.counter("collect_worker_busy_seconds_total", "Time spent on batches.",
                 static_cast<double>(consumer->busy_microseconds) / 1e6, labels);
  }
  if (!queues) return;
  for (const queue::Stage stage : queue::kStages) {
    const queue::Depth& depth = queues->depths.at(static_cast<std::size_t>(stage));
    const auto at = [&](const char* state, std::uint64_t value) {
      page.gauge("collect_queue_messages", "Messages in the queues.", static_cast<double>(value),
                 {{"stage", std::string(queue::to_string(stage))}, {"state", state}});
    };
    at("ready", depth.ready);
    at("claimed", depth.claimed);
    at("delayed", depth.delayed);
    at("dead", depth.dead);
    const double age =
        depth.oldest_ready ? std::chrono::duration<double>(queues->at - *depth.oldest_ready).count() : 0.0;
    page.gauge("collect_queue_oldest_seconds", "Age of the next message.", age,
               {{"stage", std::string(queue::to_string(stage))}});
  }
}

}  // namespace

std::string metrics_page(const Counted& counted, const std::optional<queue::Reading>& queues) {
  Page page;
  page.gauge("collect_build_info", "Always 1; the labels say what runs.", 1,
             {{"version", kVersion}, {"commit", kCommit}});
  if (counted.server != nullptr) add_server(page, *counted.server);
  add_inventory(page, counted);
  add_systems(page, counted);
  add_alerts(page, counted);
  add_queues(page, counted, queues);
  return page.text();
}

}  // namespace collect::app
