// SPDX-License-Identifier: Apache-2.0
// Speaks to the Alertmanagers behind MIMIR_URL, each the one of a tenant (systems::tenant_of). Source of the
// interface: https://github.com/prometheus/alertmanager/blob/v0.25.0/api/v2/openapi.yaml, of the tenants:
// https://grafana.com/docs/mimir/latest/references/http-api/#alertmanager. Redirects are not followed.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http_client.h"

namespace collect::alertmanager {

struct TenantRequest {
  std::string tenant;  // goes out as X-Scope-OrgID
  std::string method = "GET";
  std::string path;       // what follows /alertmanager/api/v2/: "alerts", "silence/<uuid>"
  std::string query;      // percent-encoded, without the '?'; empty: none
  std::string_view body;  // JSON; empty: none
};

struct TenantClientOptions {
  net::HttpClientOptions http;
  // Mimir creates a tenant's Alertmanager when somebody first asks for it, and answers 406 meanwhile: it is
  // asked again, after pauses that double, with jitter.
  std::chrono::milliseconds first_pause{250};
  int most_tries = 5;
};

// Safe to use from several threads.
class TenantClient {
 public:
  // `mimir_url` is MIMIR_URL; empty: there is no Alertmanager, and every call is `unavailable` and says so.
  TenantClient(std::string mimir_url, TenantClientOptions options);

  [[nodiscard]] bool has_url() const { return !base_.empty(); }

  // Whatever the tenant's Alertmanager answers is a value, 406 too where that does not end within the tries
  // and `time`, which is for all of them together. `unavailable`: no answer. `invalid`: the answer is too
  // long, or `tenant` is no name of one tenant; a '|' would join several.
  Result<net::ClientAnswer> ask(const TenantRequest& request, std::chrono::milliseconds time);

  // Posts a JSON list of alerts. "HTTP 200", or what net::http_verdict() makes of the answer: `unavailable`
  // is worth another try later (also 406), `invalid` is not.
  Result<std::string> post_alerts(const std::string& tenant, std::string_view alerts,
                                  std::chrono::milliseconds time);

  // Calls that were answered with 406 and tried again. Only grows.
  [[nodiscard]] std::uint64_t retries() const { return retries_.load(std::memory_order_relaxed); }

 private:
  const std::string base_;
  const TenantClientOptions options_;
  net::HttpClient http_;
  std::atomic<std::uint64_t> retries_{0};
};

}  // namespace collect::alertmanager
