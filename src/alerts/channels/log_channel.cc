// SPDX-License-Identifier: Apache-2.0
#include "alerts/channels/log_channel.h"

#include <fmt/format.h>

#include "alerts/message_text.h"
#include "base/log.h"

namespace collect::alerts {
namespace {

void write_alert(const Delivery& delivery, const DeliveryItem& item) {
  const Alert& alert = item.alert;
  log::info("alert", {{"status", to_string(item.news)},
                      {"alert_type", alert.alert_type},
                      {"severity", diff::to_string(alert.severity)},
                      {"message", one_line(alert.message)},
                      {"system_key", item.system.system_key},
                      {"system_name", item.system.name},
                      {"organization_id", delivery.organization_id.text()},
                      {"path", alert.field_path},
                      {"created_at", to_rfc3339(alert.created_at)},
                      {"alert_id", static_cast<std::int64_t>(alert.id)},
                      {"delivery_id", delivery.id}});
}

void write_summary(const Digest& digest) {
  const auto severity = [&](diff::Severity s) { return digest.by_severity.at(static_cast<std::size_t>(s)); };
  log::info("alerts_summary", {{"alerts", digest.delivery.items.size()},
                               {"resolved", digest.resolved},
                               {"systems", digest.systems},
                               {"critical", severity(diff::Severity::critical)},
                               {"high", severity(diff::Severity::high)},
                               {"medium", severity(diff::Severity::medium)},
                               {"low", severity(diff::Severity::low)},
                               {"organization_id", digest.delivery.organization_id.text()},
                               {"since", to_rfc3339(digest.oldest)},
                               {"delivery_id", digest.delivery.id}});
}

}  // namespace

Result<std::string> LogChannel::send(const Delivery& delivery) {
  const Digest digest(delivery, 0);
  switch (digest.kind) {
    case DeliveryKind::test:
      log::info("alert_test", {{"channel", delivery.channel}, {"delivery_id", delivery.id}});
      return std::string("a line in the log");
    case DeliveryKind::summary:
      write_summary(digest);
      return std::string("a line in the log");
    case DeliveryKind::alerts:
      break;
  }
  for (const DeliveryItem& item : delivery.items) write_alert(delivery, item);
  return fmt::format("{} lines in the log", delivery.items.size());
}

}  // namespace collect::alerts
