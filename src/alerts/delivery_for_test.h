// SPDX-License-Identifier: Apache-2.0
// Deliveries for tests of channels and of what they say.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "alerts/alert.h"

namespace collect::alerts {

inline const Time kTestTime = parse_rfc3339("2026-01-02T03:04:05.678901Z").value();

inline systems::System test_system(const std::string& name) {
  systems::System system;
  system.id = SystemId("id-" + name);
  system.system_key = "NETH-" + name;
  system.name = name;
  system.type = "ns8";
  system.fqdn = name + ".example.org";
  system.organization_id = OrganizationId("org-1");
  system.organization.row_id = "row-1";
  system.organization.logto_id = OrganizationId("org-1");
  system.organization.name = "Acme & Söhne";
  return system;
}

inline DeliveryItem test_item(int id, diff::Severity severity, const std::string& message,
                              const systems::System& system = test_system("rl1")) {
  Alert alert;
  alert.id = AlertId{id};
  alert.system_id = system.id;
  alert.rule = "rule-" + std::to_string(id);
  alert.alert_type = "type_" + std::string(diff::to_string(severity));
  alert.message = message;
  alert.severity = severity;
  alert.created_at = kTestTime + std::chrono::minutes(id);
  alert.updated_at = alert.created_at;
  alert.field_path = "facts.nodes." + std::to_string(id);
  return {News::firing, alert, system};
}

inline DeliveryItem resolved(DeliveryItem item) {
  item.news = News::resolved;
  item.alert.is_resolved = true;
  item.alert.resolved_at = item.alert.created_at + std::chrono::hours(1);
  return item;
}

inline Delivery test_delivery_of(std::vector<DeliveryItem> items) {
  Delivery delivery;
  delivery.id = "0190a000-0000-7000-8000-000000000001";
  delivery.channel = "here";
  delivery.organization_id = OrganizationId("org-1");
  delivery.created_at = kTestTime + std::chrono::hours(2);
  delivery.items = in_order(std::move(items));
  return delivery;
}

// So many systems with an alert each, every hundredth of them critical.
inline Delivery test_storm(int systems) {
  std::vector<DeliveryItem> items;
  for (int i = 1; i <= systems; ++i) {
    const auto severity = i % 100 == 0 ? diff::Severity::critical : diff::Severity::medium;
    items.push_back(test_item(i, severity, "Rocky Linux is 9.5 now", test_system("s" + std::to_string(i))));
  }
  auto delivery = test_delivery_of(std::move(items));
  delivery.summary = true;
  return delivery;
}

}  // namespace collect::alerts
