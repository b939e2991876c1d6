// SPDX-License-Identifier: Apache-2.0
#include "app/metrics_page.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
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
  void histogram(const std::string& name, const std::string& help, const Histogram::Seen& seen,
                 const Labels& labels = {}) {
    prometheus::ClientMetric metric = labelled(labels);
    for (std::size_t i = 0; i < seen.counts.size(); ++i) {
      metric.histogram.sample_count += seen.counts.at(i);
      const double bound =
          i < Histogram::kBounds.size() ? Histogram::kBounds.at(i) : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({metric.histogram.sample_count, bound});
    }
    metric.histogram.sample_sum = seen.seconds;
    add(name, help, prometheus::MetricType::Histogram, std::move(metric));
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
  if (server.certificate_ends_at != 0) {
    page.counter("collect_tls_failures_total", "Connections that ended before or because TLS failed.",
                 server.tls_failures);
    page.gauge("collect_tls_certificate_end_timestamp_seconds", "When the certificate at the door ends.",
               static_cast<double>(server.certificate_ends_at));
  }
  page.counter("collect_http_received_bytes_total", "Bytes received.", server.bytes_in);
  page.counter("collect_http_sent_bytes_total", "Bytes sent.", server.bytes_out);
}

void add_inventory(Page& page, const Counted& counted, const std::optional<queue::Reading>& queues) {
  const std::string name = "collect_inventories_total";
  const std::string help =
      "Inventories by outcome since the start: accepted = stored + unchanged + dead + "
      "collect_inventories_pending, over all processes that share the queues.";
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
    page.histogram("collect_inventory_accept_seconds",
                   "From an inventory's whole body to its 202: read, checked and put into the queue.",
                   counted.door->accept_time.seen());
  }
  if (queues) {
    const queue::Depth& depth = queues->depths.at(static_cast<std::size_t>(queue::Stage::inventory));
    page.gauge("collect_inventories_pending", "Inventories that are accepted and not stored yet.",
               static_cast<double>(depth.ready + depth.claimed + depth.delayed));
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
  // Nothing at a channel is 0 there, not nothing.
  std::map<std::string, alerts::ChannelDepth> depths;
  for (const alerts::ChannelCount& count : counted.channels) depths[count.channel].channel = count.channel;
  for (const alerts::ChannelDepth& depth : counted.channel_depths) depths[depth.channel] = depth;
  for (const auto& [channel, depth] : depths) {
    const Labels labels = {{"channel", channel}};
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

void add_proxy(Page& page, const alertmanager::ProxyCounters& proxy, std::uint64_t retries) {
  for (std::size_t i = 0; i < alertmanager::kCalls; ++i) {
    const std::string call(alertmanager::to_string(static_cast<alertmanager::Call>(i)));
    const auto& outcomes = proxy.calls.at(i);
    const std::string name = "collect_proxy_requests_total";
    page.counter(name, "Requests to the Alertmanager's proxy: passed 2xx, refused 4xx, failed 5xx.",
                 outcomes.passed, {{"call", call}, {"outcome", "passed"}});
    page.counter(name, "", outcomes.refused, {{"call", call}, {"outcome", "refused"}});
    page.counter(name, "", outcomes.failed, {{"call", call}, {"outcome", "failed"}});
  }
  page.counter("collect_proxy_alerts_total", "Alerts passed on to the Alertmanager.", proxy.alerts);
  page.counter("collect_proxy_rows_hidden_total", "Rows of answers that were not the system's that asked.",
               proxy.rows_hidden);
  page.counter("collect_proxy_audited_total", "Refusals with an audit line in the log.", proxy.audited);
  page.counter("collect_alertmanager_retries_total", "Calls repeated because the tenant was being created.",
               static_cast<double>(retries));
}

void add_backups(Page& page, const Counted& counted) {
  if (counted.backups == nullptr || counted.backup_api == nullptr) return;
  const backups::BackupCounters& backups = *counted.backups;
  const std::string name = "collect_backup_uploads_total";
  const std::string help = "Uploads by outcome.";
  page.counter(name, help, backups.uploaded, {{"outcome", "stored"}});
  page.counter(name, help, backups.failed, {{"outcome", "failed"}});
  page.counter(name, help, backups.over_quota, {{"outcome", "over_quota"}});
  page.counter(name, help, counted.backup_api->rate_limited, {{"outcome", "rate_limited"}});
  page.counter(name, help, counted.backup_api->refused, {{"outcome", "refused"}});
  page.gauge("collect_backup_uploads_under_way", "Uploads under way.",
             static_cast<double>(backups.under_way));
  page.counter("collect_backup_bytes_total", "Bytes of stored backups.", backups.uploaded_bytes);
  page.counter("collect_backup_downloads_total", "Downloads begun.", backups.downloads);
  page.counter("collect_backups_pruned_total", "Backups removed by retention.", backups.pruned);
  page.counter("collect_backups_deleted_total", "Backups deleted by their systems.", backups.deleted);
  page.counter("collect_backup_unavailable_total", "Requests that met an outage of storage or database.",
               counted.backup_api->unavailable);
}

void add_retention(Page& page, const retention::SweepCounters& retention) {
  const std::string name = "collect_retention_removed_total";
  page.counter(name, "Rows that were older than they are kept, by what they were.", retention.records,
               {{"what", "record"}});
  page.counter(name, "", retention.resolved_alerts, {{"what", "resolved_alert"}});
  page.counter(name, "", retention.alert_history, {{"what", "alert_history"}});
  page.counter(name, "", retention.deliveries, {{"what", "delivery"}});
  page.counter("collect_retention_passes_total", "Ways of the retention through all systems that were ended.",
               retention.passes);
}

void add_monitors(Page& page, const Counted& counted) {
  if (counted.runner == nullptr) return;
  page.gauge("collect_monitors_runner", "1 in the process that runs the monitors.",
             counted.runner->term() ? 1 : 0);
  page.gauge("collect_monitors_term", "Number of this process's term as their runner; 0: it is not.",
             static_cast<double>(counted.runner->term().value_or(0)));
  page.counter("collect_monitors_elected_total", "How often this process became their runner.",
               static_cast<double>(counted.runner->elected()));
  for (const auto& [monitor, rounds] : counted.rounds) {
    page.counter("collect_monitor_rounds_total", "Rounds of the monitors in this process.",
                 static_cast<double>(rounds), {{"monitor", monitor}});
  }
}

void add_fleet(Page& page, const Counted& counted) {
  if (counted.fleet) {
    for (const auto& [status, count] : counted.fleet->by_status)
      page.gauge("collect_systems", "Systems that are not deleted, by status.", static_cast<double>(count),
                 {{"status", status}});
    page.gauge("collect_link_failed_firing", "Outages of systems whose alert is not resolved.",
               static_cast<double>(counted.fleet->link_failed));
  }
  if (counted.link_failed == nullptr) return;
  const liveness::LinkFailedCounters& failed = *counted.link_failed;
  page.counter("collect_link_failed_total", "Outages of systems.", failed.begun, {{"news", "begun"}});
  page.counter("collect_link_failed_total", "", failed.resolved, {{"news", "resolved"}});
  page.counter("collect_link_failed_posts_total",
               "LinkFailed alerts that were to go to Alertmanagers, each time they are refreshed.",
               failed.posted, {{"outcome", "posted"}});
  page.counter("collect_link_failed_posts_total", "", failed.failed, {{"outcome", "failed"}});
  page.gauge("collect_fleet_silent",
             "1 while half of the fleet went silent at once: look at Collect's own network first.",
             failed.fleet_silent ? 1 : 0);
}

void add_queues(Page& page, const Counted& counted, const std::optional<queue::Reading>& queues) {
  std::map<queue::Stage, std::pair<Histogram::Seen, Histogram::Seen>> times;
  for (const auto& [worker, stage, consumer] : counted.workers) {
    times[stage].first += consumer->message_time.seen();
    times[stage].second += consumer->batch_time.seen();
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
  for (const auto& [stage, seen] : times) {
    const Labels labels = {{"stage", std::string(queue::to_string(stage))}};
    page.histogram("collect_stage_seconds",
                   "From when a message was put in line for a stage to when that was done with it.",
                   seen.first, labels);
    page.histogram("collect_batch_seconds", "Work on a batch of messages.", seen.second, labels);
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
  add_inventory(page, counted, queues);
  add_systems(page, counted);
  add_fleet(page, counted);
  add_alerts(page, counted);
  if (counted.proxy != nullptr) add_proxy(page, *counted.proxy, counted.tenant_retries);
  add_backups(page, counted);
  add_monitors(page, counted);
  if (counted.retention != nullptr) add_retention(page, *counted.retention);
  add_queues(page, counted, queues);
  return page.text();
}

}  // namespace collect::app
