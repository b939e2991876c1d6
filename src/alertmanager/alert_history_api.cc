// SPDX-License-Identifier: Apache-2.0
#include "alertmanager/alert_history_api.h"

#include <fmt/format.h>

#include <memory>
#include <span>

#include "alertmanager/fields.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "net/content_encoding.h"

namespace collect::alertmanager {
namespace {

using net::Response;

constexpr std::uint64_t kMaxBody = 1U << 20U;
constexpr std::string_view kScheme = "Bearer ";

std::optional<std::string> member(const json::Value* object, std::string_view key) {
  const json::Value* value = object == nullptr ? nullptr : object->find(key);
  if (value == nullptr || !value->is_string() || value->text.empty()) return std::nullopt;
  return std::string(value->text);
}

Result<const json::Value*> texts(const Field& field) {
  if (field.missing()) return static_cast<const json::Value*>(nullptr);
  if (!field.value()->is_object()) return field.expected("an object");
  for (const auto& [name, value] : field.value()->members) {
    if (!value.is_string()) return field.expected("an object of strings");
  }
  return field.value();
}

// Nothing: it still fires, or is of no system.
Result<std::optional<HistoryEntry>> read_entry(const json::Value& alert, const std::string& where) {
  const auto status = Field(alert, where, "status").text();
  if (!status) return status.failure();
  const auto labels = texts(Field(alert, where, "labels"));
  if (!labels) return labels.failure();
  const auto annotations = texts(Field(alert, where, "annotations"));
  if (!annotations) return annotations.failure();
  auto system_key = member(*labels, "system_key");
  if (*status != "resolved" || !system_key) return std::optional<HistoryEntry>();
  const auto starts_at = Field(alert, where, "startsAt").time();
  if (!starts_at) return starts_at.failure();
  const auto ends_at = Field(alert, where, "endsAt").time_if_any();
  if (!ends_at) return ends_at.failure();

  HistoryEntry entry;
  entry.system_key = *std::move(system_key);
  entry.alertname = member(*labels, "alertname").value_or("");
  entry.severity = member(*labels, "severity");
  entry.status = *status;
  entry.fingerprint = member(&alert, "fingerprint");
  entry.starts_at = *starts_at;
  if (*ends_at != kZeroTime) entry.ends_at = *ends_at;
  entry.summary = member(*annotations, "summary");
  entry.labels = json::to_text(**labels);
  if (*annotations != nullptr) entry.annotations = json::to_text(**annotations);
  // An outage that flaps is posted resolved again and again with the same beginning.
  if (entry.alertname == "LinkFailed") entry.same = HistoryEntry::Same::outage;
  return std::optional(std::move(entry));
}

// How many of them the store does not take, whenever it is asked: they are left out, so that they neither
// take the others with them nor come again for ever.
Result<std::size_t> write_what_fits(AlertHistoryStore& store, std::span<const HistoryEntry> entries,
                                    Time now) {
  if (entries.empty()) return std::size_t{0};
  const auto written = store.write(entries, now);
  if (written) return std::size_t{0};
  if (written.failure().kind != FailureKind::invalid) return written.failure();
  if (entries.size() == 1) {
    log::warn("alert_history_left_out", {{"error", written.failure().message}});
    return std::size_t{1};
  }
  const auto half = entries.size() / 2;
  const auto first = write_what_fits(store, entries.first(half), now);
  if (!first) return first;
  const auto second = write_what_fits(store, entries.subspan(half), now);
  if (!second) return second;
  return *first + *second;
}

Response take(AlertHistoryStore& store, const Clock& clock, net::Request request) {
  const auto decoded =
      net::decode_body(std::move(request.body), request.header("Content-Encoding"), kMaxBody);
  if (decoded.state == net::Decoding::too_large)
    return net::envelope(413, "request body too large", fmt::format(R"({{"max_size_bytes":{}}})", kMaxBody));
  if (decoded.state != net::Decoding::done)
    return net::envelope(415, "expected Content-Encoding identity or gzip, and a body that is so");
  const auto entries = read_history(decoded.body);
  if (!entries) return net::envelope(400, entries.failure().message);
  if (!entries->empty()) {
    const auto left_out = write_what_fits(store, *entries, clock.now());
    if (!left_out) {
      log::warn("alert_history_not_written",
                {{"kind", to_string(left_out.failure().kind)}, {"error", left_out.failure().message}});
      return net::try_again_later("the alert history cannot be written at the moment");
    }
    log::info("alert_history_written", {{"alerts", entries->size() - *left_out}, {"left_out", *left_out}});
  }
  Response done;
  done.status = 204;
  return done;
}

}  // namespace

Result<std::vector<HistoryEntry>> read_history(std::string_view body) {
  const auto document = json::Document::parse(body);
  if (!document) return document.failure();
  const json::Value& root = document->root();
  if (!root.is_object())
    return invalid(
        fmt::format("expected an Alertmanager's webhook, a JSON object, got {}", json::to_string(root.type)));
  const Field alerts(root, "webhook", "alerts");
  if (alerts.missing() || !alerts.value()->is_array()) return alerts.expected("a list");
  const auto elements = alerts.value()->elements;
  if (elements.size() > kMostHistoryAlerts) {
    return invalid(fmt::format("{}: expected at most {} alerts, got {}", alerts.where(), kMostHistoryAlerts,
                               elements.size()));
  }
  std::vector<HistoryEntry> entries;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    auto entry = read_entry(elements[i], fmt::format("alerts[{}]", i));
    if (!entry) return entry.failure();
    if (!*entry) continue;
    (*entry)->receiver = member(&root, "receiver");
    entries.push_back(**std::move(entry));
  }
  return entries;
}

net::Endpoint alert_history_endpoint(AlertHistoryStore& store, const Clock& clock, std::string secret) {
  const auto handle = [&store, &clock](net::Request request) {
    return take(store, clock, std::move(request));
  };
  return {[handle, secret = std::move(secret)](const net::RequestHead& head) -> net::Admission {
    if (secret.empty())
      return net::envelope(503, "ALERTING_HISTORY_WEBHOOK_SECRET is not set: no history is taken");
    const std::string_view given = head.header("Authorization");
    const bool bearer =
        given.size() > kScheme.size() && net::equal_ignoring_case(given.substr(0, kScheme.size()), kScheme);
    if (!bearer || !equal_constant_time(given.substr(kScheme.size()), secret))
      return net::envelope(401, "unauthorized").with("WWW-Authenticate", R"(Bearer realm="alert history")");
    net::Accepted accepted;
    accepted.max_body_bytes = kMaxBody;
    accepted.handle = handle;
    return accepted;
  }};
}

}  // namespace collect::alertmanager
