// SPDX-License-Identifier: Apache-2.0
// Alertmanager's API for one system: it posts alerts that are labelled as its own, and sees and changes only
// what carries its own system_key. Requests are read strictly and written anew, answers filtered again; no
// byte that a client sent goes upstream before it was understood.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "alertmanager/exact_json.h"
#include "alertmanager/silence.h"
#include "alertmanager/tenant_client.h"
#include "base/clock.h"
#include "base/outage.h"
#include "base/pool.h"
#include "net/http.h"
#include "net/router.h"
#include "systems/authenticator.h"
#include "systems/system_store.h"

namespace collect::alertmanager {

enum class Call : std::uint8_t {
  post_alerts,
  get_alerts,
  post_silence,
  get_silences,
  get_silence,
  delete_silence
};
inline constexpr std::size_t kCalls = 6;
std::string_view to_string(Call call);

// Each number only grows; readable from any thread.
struct ProxyCounters {
  struct Outcomes {
    std::atomic<std::uint64_t> passed{0};   // 2xx
    std::atomic<std::uint64_t> refused{0};  // 4xx
    std::atomic<std::uint64_t> failed{0};   // 5xx
  };
  std::array<Outcomes, kCalls> calls{};
  std::atomic<std::uint64_t> alerts{0};       // passed on
  std::atomic<std::uint64_t> rows_hidden{0};  // of answers, that were another's
  std::atomic<std::uint64_t> audited{0};      // refusals with an audit line
};

class ProxyApi {
 public:
  struct Options {
    std::uint64_t max_body_bytes = 1U << 20U;  // inflated
    std::chrono::milliseconds time{20'000};    // for all that one request asks of the Alertmanager
    Pool* pool = nullptr;                      // where requests run, null: the server's
  };

  // All outlive it.
  ProxyApi(TenantClient& client, systems::Authenticator& authenticator, systems::SystemStore& store,
           const Clock& clock, Options options);

  // …/services/mimir/alertmanager/api/v2/ under /api and under /.
  void add_to(net::Router& router);

  [[nodiscard]] const ProxyCounters& counters() const { return counters_; }

 private:
  // One request of a system, as it is now.
  struct Context {
    Call call;
    systems::System system;
    std::chrono::steady_clock::time_point deadline;
    net::Request request;
  };

  net::Endpoint endpoint(Call call);
  net::Endpoint nothing_there();
  net::Response answer(Call call, const systems::System& system, net::Request request);
  net::Response dispatch(Context& context);
  net::Response post_alerts(Context& context);
  net::Response post_silence(Context& context);
  net::Response get_list(Context& context);
  net::Response get_silence(Context& context);
  net::Response delete_silence(Context& context);

  // The body as JSON; a 4xx instead.
  std::variant<net::Response, json::Document> read_body(Context& context);
  // The silence of that id where it is the system's, else the answer to give.
  std::variant<net::Response, Silence> own_silence(Context& context, const std::string& id);
  // What the Alertmanager said, where it is a success; else what to say about it.
  std::variant<net::Response, std::string> ask(Context& context, TenantRequest request);
  net::Response unusable(const Context& context, std::string_view why);
  net::Response refuse(const Refusal& refusal, const net::RequestHead& head, const systems::System& system,
                       std::string_view silence = "");

  TenantClient& client_;
  systems::Authenticator& authenticator_;
  systems::SystemStore& store_;
  const Clock& clock_;
  const Options options_;
  ProxyCounters counters_;
  Outage outage_{"alertmanager"};
};

}  // namespace collect::alertmanager
