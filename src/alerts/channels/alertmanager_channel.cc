// SPDX-License-Identifier: Apache-2.0
#include "alerts/channels/alertmanager_channel.h"

#include <algorithm>
#include <map>
#include <vector>

#include "alerts/message_text.h"
#include "base/json.h"
#include "net/http_verdict.h"
#include "systems/labels.h"

namespace collect::alerts {
namespace {

constexpr std::size_t kAlertsInAPost = 200;
// An Alertmanager forgets an alert at its end; one that stands stays at least until then.
constexpr Duration kLeastRest = std::chrono::minutes(5);

// What an Alertmanager is told is a state, not news: of an alert that went meanwhile, that it is over.
bool is_over(const DeliveryItem& item) {
  return item.news == News::resolved || item.alert.is_resolved;
}

std::map<std::string, std::vector<const DeliveryItem*>> by_tenant(const Delivery& delivery) {
  std::map<std::string, std::vector<const DeliveryItem*>> tenants;
  for (const DeliveryItem& item : delivery.items) tenants[systems::tenant_of(item.system)].push_back(&item);
  return tenants;
}

Time end_of(const DeliveryItem& item, Duration lasts, Time now) {
  const Alert& alert = item.alert;
  if (is_over(item)) return std::max(alert.created_at, alert.resolved_at.value_or(alert.updated_at));
  return std::max(alert.created_at + lasts, now + kLeastRest);
}

systems::Labels labels_of(const DeliveryItem& item) {
  const Alert& alert = item.alert;
  auto labels = systems::labels_of(item.system);
  labels["alertname"] = alert.alert_type;
  labels["severity"] = diff::to_string(alert.severity);
  labels["managed_by"] = "my-collect";
  labels["alert_id"] = std::to_string(static_cast<std::int64_t>(alert.id));
  if (!alert.rule.empty()) labels["collect_rule"] = alert.rule;
  if (!alert.field_path.empty()) labels["path"] = alert.field_path;
  return labels;
}

void write_alert(json::Writer& w, const DeliveryItem& item, Duration lasts, Time now) {
  w.begin_object().key("labels").begin_object();
  for (const auto& [name, value] : labels_of(item)) w.member(name, value);
  const auto message = one_line(item.alert.message);
  w.end_object().key("annotations").begin_object();
  w.member("summary", message).member("description", message).end_object();
  w.member("startsAt", to_rfc3339(item.alert.created_at));
  w.member("endsAt", to_rfc3339(end_of(item, lasts, now))).end_object();
}

}  // namespace

AlertmanagerChannel::AlertmanagerChannel(AlertmanagerChannelConfig config, std::string mimir_url,
                                         const Clock& clock)
    : config_(std::move(config)),
      clock_(clock),
      client_(std::move(mimir_url), {.http = net::posting_client_options(config_.timeout, config_.ca_file)}) {
}

Result<std::string> AlertmanagerChannel::send(const Delivery& delivery) {
  const auto deadline = std::chrono::steady_clock::now() + config_.timeout;
  const Duration lasts = kind_of(delivery) == DeliveryKind::test ? kLeastRest : config_.lasts;
  Result<std::string> outcome = std::string();
  for (const auto& [tenant, items] : by_tenant(delivery)) {
    for (std::size_t from = 0; from < items.size(); from += kAlertsInAPost) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) return unavailable("the Alertmanager took too long for all of the delivery");
      json::Writer w;
      w.begin_array();
      for (std::size_t i = from; i < std::min(items.size(), from + kAlertsInAPost); ++i)
        write_alert(w, *items[i], lasts, clock_.now());
      w.end_array();
      auto posted = client_.post_alerts(tenant, w.text(), left);
      if (!posted && posted.failure().kind == FailureKind::unavailable) return posted;
      // One tenant that refuses does not keep the others from hearing.
      if (outcome) outcome = std::move(posted);
    }
  }
  return outcome;
}

}  // namespace collect::alerts
