// SPDX-License-Identifier: Apache-2.0
// Alerts and the notifications that tell them: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "diff/change.h"
#include "systems/system.h"

namespace collect::alerts {

enum class AlertId : std::int64_t {};         // inventory_alerts.id
enum class NotificationId : std::int64_t {};  // alert_notifications.id

// The rule of alerts about paths that keep changing. An index of each engine has the name in it.
inline constexpr std::string_view kPatternRule = "pattern";

// A row of inventory_diffs.
struct StoredDiff {
  DiffId id{};
  RecordId record_id{};
  diff::ChangeType type = diff::ChangeType::update;
  std::string category;
  diff::Severity severity = diff::Severity::low;
  std::string field_path;
  std::optional<std::string> previous_value;  // JSON text
  std::optional<std::string> current_value;
  Time created_at{};
};

// A row of inventory_alerts, with the path of its diff.
struct Alert {
  AlertId id{};
  SystemId system_id;
  std::optional<DiffId> diff_id;
  std::string rule;  // the name of the rule that made it; empty: made by another program
  std::string alert_type;
  std::string message;
  diff::Severity severity = diff::Severity::low;
  bool is_resolved = false;
  std::optional<Time> resolved_at;
  Time created_at{};
  Time updated_at{};
  std::string field_path;  // of the diff; empty without one
};

// What one of a rule's channels has to be told about one alert.
enum class News : std::uint8_t { firing, resolved };
std::string_view to_string(News news);
std::optional<News> parse_news(std::string_view word);

// An alert as the rules decided it, before it has an id.
struct NewAlert {
  DiffId diff_id{};
  std::string rule;
  std::string alert_type;
  std::string message;
  diff::Severity severity = diff::Severity::low;
  std::vector<std::string> channels;  // names; each is told once
};

// An alert about a system itself, with no diff: it stands from when something is found until it is found to
// be well again.
struct StandingAlert {
  SystemId system_id;
  OrganizationId organization_id;
  std::string rule;  // also its alert_type
  std::string message;
  diff::Severity severity = diff::Severity::high;
  std::vector<std::string> channels;  // names; each is told once
};

// Whose news it is when half of the fleet goes silent at once: the operator's, in summaries of all
// organizations together. No organization has this id.
inline constexpr std::string_view kWholeFleet = "*";

// One message to one channel's peer: everything that is due about one system, or a summary of several systems
// of an organization.
struct DeliveryItem {
  News news = News::firing;
  Alert alert;
  systems::System system;
};
// Items as a delivery has them: each alert once, as resolved where it fires and is resolved, the most severe
// first, then the oldest.
std::vector<DeliveryItem> in_order(std::vector<DeliveryItem> items);

struct Delivery {
  std::string id;  // a UUID, the same in every attempt: the peer can tell a repetition by it
  std::string channel;
  OrganizationId organization_id;  // or kWholeFleet
  bool summary = false;            // of several systems
  int attempts = 0;                // that failed before
  Time created_at{};
  std::vector<DeliveryItem> items;  // at least one, in_order()
};

}  // namespace collect::alerts
