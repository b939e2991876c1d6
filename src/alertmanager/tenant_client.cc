// SPDX-License-Identifier: Apache-2.0
#include "alertmanager/tenant_client.h"

#include <algorithm>
#include <thread>
#include <vector>

#include "net/http_verdict.h"
#include "queue/backoff.h"

namespace collect::alertmanager {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr int kTenantIsBeingCreated = 406;
constexpr std::size_t kLongestTenant = 150;  // Mimir's limit

std::string base_of(std::string mimir_url) {
  if (mimir_url.empty()) return {};
  mimir_url.erase(mimir_url.find_last_not_of('/') + 1);
  return mimir_url + "/alertmanager/api/v2/";
}

bool names_one_tenant(std::string_view tenant) {
  return !tenant.empty() && tenant.size() <= kLongestTenant &&
         std::all_of(tenant.begin(), tenant.end(), [](char c) { return c > ' ' && c < 0x7f && c != '|'; });
}

}  // namespace

TenantClient::TenantClient(std::string mimir_url, TenantClientOptions options)
    : base_(base_of(std::move(mimir_url))), options_(std::move(options)), http_(options_.http) {}

Result<net::ClientAnswer> TenantClient::ask(const TenantRequest& request, milliseconds time) {
  if (!has_url()) return unavailable("MIMIR_URL is not set: there is no Alertmanager");
  if (!names_one_tenant(request.tenant)) {
    return invalid(
        "expected an organization id that is the name of one tenant (visible ASCII without '|'), got " +
        net::shown(request.tenant));
  }
  net::ClientRequest sent{
      request.method, base_ + request.path, {{"X-Scope-OrgID", request.tenant}}, request.body};
  if (!request.query.empty()) sent.url.append("?").append(request.query);
  if (!request.body.empty()) sent.headers.push_back({"Content-Type", "application/json"});

  const auto deadline = Steady::now() + time;
  queue::Backoff pauses(options_.first_pause, time);
  for (int tries = 1;; ++tries) {
    auto answer = http_.send(
        sent, std::max(milliseconds(1), std::chrono::duration_cast<milliseconds>(deadline - Steady::now())));
    if (!answer || answer->status != kTenantIsBeingCreated || tries >= options_.most_tries) return answer;
    const auto pause = pauses.next();
    if (Steady::now() + pause >= deadline) return answer;
    ++retries_;
    std::this_thread::sleep_for(pause);
  }
}

Result<std::string> TenantClient::post_alerts(const std::string& tenant, std::string_view alerts,
                                              milliseconds time) {
  return net::http_verdict(base_, ask({tenant, "POST", "alerts", "", alerts}, time), {kTenantIsBeingCreated});
}

}  // namespace collect::alertmanager
