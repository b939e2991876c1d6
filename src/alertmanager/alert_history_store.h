// SPDX-License-Identifier: Apache-2.0
// PORT. The alerts that are over: rows of alert_history.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace collect::alertmanager {

struct HistoryEntry {
  std::string system_key;
  std::string alertname;
  std::optional<std::string> severity;
  std::string status;  // resolved
  std::optional<std::string> fingerprint;
  Time starts_at{};
  std::optional<Time> ends_at;
  std::optional<std::string> summary;
  std::string labels = "{}";  // JSON objects
  std::string annotations = "{}";
  std::optional<std::string> receiver;
  // Which row that is there already is the same, and is updated: one of the same system_key, alertname and
  // starts_at, whatever its end (outage), or only with the same fingerprint and end as well (resolution),
  // which is a webhook that came again.
  enum class Same { outage, resolution };
  Same same = Same::resolution;
};

class AlertHistoryStore {
 public:
  virtual ~AlertHistoryStore() = default;
  // All in one transaction, in this order, also against other processes. A new row's organization is that of
  // the system of that key, null when there is none; its created_at is `now`, which an update leaves alone.
  virtual Result<void> write(std::span<const HistoryEntry> entries, Time now) = 0;
};

}  // namespace collect::alertmanager
