// SPDX-License-Identifier: Apache-2.0
// The proxy in process, from a request's raw head to the scripted upstream: two systems, A and B, of one
// tenant.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "alertmanager/proxy_api.h"
#include "alertmanager/scripted_upstream_for_test.h"
#include "base/hash.h"
#include "net/gate.h"
#include "systems/credential.h"
#include "systems/fake_system_store.h"

namespace collect::alertmanager {

inline const Time kTestNow = *parse_rfc3339("2026-01-02T03:00:00Z");
inline constexpr std::string_view kPrefix = "/api/services/mimir/alertmanager/api/v2/";
// A and B are one digit apart, as near as two keys can be.
inline constexpr std::string_view kKeyA = "NETH-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA";
inline constexpr std::string_view kKeyB = "NETH-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAB";
inline constexpr std::string_view kSilenceOfA = "018f4c2e-0000-7000-8000-00000000000a";
inline constexpr std::string_view kSilenceOfB = "018f4c2e-0000-7000-8000-00000000000b";

class ProxyForTest {
 public:
  explicit ProxyForTest(bool with_url = true)
      : client(with_url ? upstream.url() : "", {.http = {}, .first_pause = std::chrono::milliseconds(1)}) {
    add_system("id-a", std::string(kKeyA));
    add_system("id-b", std::string(kKeyB));
    api.add_to(router);
  }

  [[nodiscard]] std::string authorization(std::string_view key) const {
    return "Basic " + to_base64(std::string(key) + ":" + secret.text);
  }
  // As A. `headers`: more lines, each with its \r\n.
  net::Response ask(std::string_view method, std::string_view target, std::string body = "",
                    std::string_view headers = "") {
    return ask_raw(std::string(method) + " " + std::string(target) +
                       " HTTP/1.1\r\nHost: x\r\nAuthorization: " + authorization(kKeyA) + "\r\n" +
                       std::string(headers) + "\r\n",
                   std::move(body));
  }
  net::Response call(std::string_view method, std::string_view path, std::string body = "") {
    return ask(method, std::string(kPrefix) + std::string(path), std::move(body));
  }
  // As the server does it: the gate, the router, the log-in, the limit, the handler.
  net::Response ask_raw(std::string_view head, std::string body) {
    auto read = net::read_head(head);
    if (const auto* refusal = std::get_if<net::Refusal>(&read))
      return net::envelope(refusal->status, refusal->message);
    net::Request request;
    static_cast<net::RequestHead&>(request) = std::get<net::RequestHead>(std::move(read));
    request.received_at = clock.now();
    request.body = std::move(body);
    net::Admission admission = router.admit(request);
    if (auto* blocking = std::get_if<net::Blocking>(&admission)) {
      auto decision = blocking->decide();
      if (auto* answer = std::get_if<net::Response>(&decision)) return std::move(*answer);
      return handle(std::get<net::Accepted>(decision), std::move(request));
    }
    if (auto* answer = std::get_if<net::Response>(&admission)) return std::move(*answer);
    return handle(std::get<net::Accepted>(admission), std::move(request));
  }

  [[nodiscard]] systems::System& system(const std::string& id) { return store.logins.at(id).system; }

  ScriptedUpstream upstream;
  TenantClient client;
  const systems::NewSecret secret = systems::new_system_secret(32);
  systems::FakeSystemStore store;
  ManualClock clock{kTestNow};
  systems::Authenticator authenticator{store, clock, {}};
  ProxyApi api{client, authenticator, store, clock, {.time = std::chrono::seconds(10)}};
  net::Router router;

 private:
  static net::Response handle(const net::Accepted& accepted, net::Request request) {
    if (request.body.size() > accepted.max_body_bytes) return net::envelope(413, "request body too large");
    return accepted.handle(std::move(request));
  }
  void add_system(const std::string& id, std::string key) {
    systems::System system;
    system.id = SystemId(id);
    system.system_key = std::move(key);
    system.name = "name of " + id;
    system.status = "active";
    system.organization_id = OrganizationId("org-1");
    system.organization.logto_id = system.organization_id;
    system.organization.name = "Acme";
    system.created_at = kTestNow;
    system.registered_at = kTestNow;
    store.logins[id] = {system, secret.stored};
  }
};

// What a tenant's Alertmanager would have: one alert and one silence of each.
inline std::string alert_row(std::string_view key, std::string_view text) {
  return R"({"labels":{"alertname":"DiskFull","system_key":")" + std::string(key) +
         R"("},"annotations":{"summary":")" + std::string(text) +
         R"("},"startsAt":"2026-01-02T02:00:00.000Z","endsAt":"2026-01-02T04:00:00.000Z","updatedAt":"2026-01-02T02:00:00.000Z",)"
         R"("fingerprint":"00ff","generatorURL":"","receivers":[{"name":"all"}],)"
         R"("status":{"state":"active","silencedBy":[],"inhibitedBy":[]}})";
}
inline std::string silence_row(std::string_view key, std::string_view id, std::string_view text) {
  return R"({"id":")" + std::string(id) + R"(","matchers":[{"name":"system_key","value":")" +
         std::string(key) +
         R"(","isRegex":false,"isEqual":true}],"startsAt":"2026-01-02T02:00:00.000Z","endsAt":"2026-01-02T04:00:00.000Z",)"
         R"("updatedAt":"2026-01-02T02:00:00.000Z","createdBy":"me","comment":")" +
         std::string(text) + R"(","status":{"state":"active"}})";
}
// Answers as an upstream whose filters do nothing: every list holds A's and B's rows, every id has a silence.
inline Scripted answer_with_everything(const Received& request) {
  const std::string_view target = request.target;
  const auto named = [target](std::string_view part) { return target.find(part) != std::string_view::npos; };
  if (request.method == "POST" && named("/silences"))
    return {.status = 200, .body = R"({"silenceID":")" + std::string(kSilenceOfA) + "\"}"};
  if (request.method != "GET") return {};
  if (named("/alerts"))
    return {.body = "[" + alert_row(kKeyA, "mine") + "," + alert_row(kKeyB, "SECRET OF B") + "]"};
  if (named("/silences")) {
    return {.body = "[" + silence_row(kKeyA, kSilenceOfA, "mine") + "," +
                    silence_row(kKeyB, kSilenceOfB, "SECRET OF B") + "]"};
  }
  if (named(kSilenceOfA)) return {.body = silence_row(kKeyA, kSilenceOfA, "mine")};
  if (named(kSilenceOfB)) return {.body = silence_row(kKeyB, kSilenceOfB, "SECRET OF B")};
  return {.status = 404, .body = "\"silence not found\""};
}

}  // namespace collect::alertmanager
