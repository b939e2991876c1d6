// SPDX-License-Identifier: Apache-2.0
#include "alerts/channels/webhook_channel.h"

#include "alerts/message_text.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/utf8.h"
#include "net/http_verdict.h"

namespace collect::alerts {
namespace {

constexpr int kVersion = 1;
constexpr std::size_t kMessageCharacters = 2000;

void write_system(json::Writer& w, const systems::System& system) {
  w.begin_object().member("id", system.id.text()).member("key", system.system_key);
  w.member("name", system.name.empty() ? std::nullopt : std::optional(system.name));
  w.member("type", system.type).member("fqdn", system.fqdn).end_object();
}

void write_organization(json::Writer& w, const Delivery& delivery) {
  const bool one = delivery.organization_id.text() != kWholeFleet;
  const systems::Organization& organization = delivery.items.front().system.organization;
  w.begin_object().member("id", delivery.organization_id.text());
  w.member("name", one ? std::optional(organization.name) : std::nullopt);
  w.member("type", one ? std::optional(systems::to_string(organization.type)) : std::nullopt).end_object();
}

void write_alert(json::Writer& w, const DeliveryItem& item) {
  const Alert& alert = item.alert;
  w.begin_object().member("id", static_cast<std::int64_t>(alert.id));
  w.member("status", to_string(item.news)).member("alert_type", alert.alert_type);
  w.member("severity", diff::to_string(alert.severity));
  w.member("message", utf8_prefix(alert.message, kMessageCharacters)).key("system");
  write_system(w, item.system);
  w.member("path", alert.field_path.empty() ? std::nullopt : std::optional(alert.field_path));
  w.member("created_at", to_rfc3339(alert.created_at));
  w.member("resolved_at", alert.resolved_at ? std::optional(to_rfc3339(*alert.resolved_at)) : std::nullopt);
  w.end_object();
}

void write_counts(json::Writer& w, const Digest& digest) {
  w.begin_object().member("firing", digest.firing).member("resolved", digest.resolved);
  w.member("systems", digest.systems).key("severity").begin_object();
  for (std::size_t i = 0; i < digest.by_severity.size(); ++i)
    w.member(diff::to_string(static_cast<diff::Severity>(i)), digest.by_severity.at(i));
  w.end_object().key("alert_type").begin_object();
  for (const auto& [type, count] : digest.by_type) w.member(type, count);
  w.end_object().end_object();
}

}  // namespace

std::string webhook_payload(const Delivery& delivery, std::size_t most_shown) {
  const Digest digest(delivery, most_shown);
  json::Writer w;
  w.begin_object().member("version", kVersion).member("id", delivery.id);
  w.member("kind", to_string(digest.kind)).member("created_at", to_rfc3339(delivery.created_at));
  w.key("organization");
  write_organization(w, delivery);
  w.member("text", plain_text(digest)).key("alerts").begin_array();
  for (const DeliveryItem& item : digest.shown) write_alert(w, item);
  w.end_array().member("more", digest.more).key("counts");
  write_counts(w, digest);
  w.end_object();
  return std::move(w).text();
}

WebhookChannel::WebhookChannel(WebhookChannelConfig config, std::size_t most_shown)
    : config_(std::move(config)),
      most_shown_(most_shown),
      client_(net::posting_client_options(config_.timeout, config_.ca_file)) {}

Result<std::string> WebhookChannel::send(const Delivery& delivery) {
  const std::string body = webhook_payload(delivery, most_shown_);
  net::ClientRequest request{
      "POST", config_.url, {{"Content-Type", "application/json"}, {"X-Collect-Delivery", delivery.id}}, body};
  if (!config_.secret.empty()) {
    request.headers.push_back({"X-Collect-Signature", "sha256=" + to_hex(hmac_sha256(config_.secret, body))});
  }
  auto confidential = net::confidential_parts(config_.url);
  confidential.push_back(config_.secret);
  confidential.emplace_back("sha256=");  // a signature
  return net::http_verdict(config_.url, client_.send(request), {}, confidential);
}

}  // namespace collect::alerts
