// SPDX-License-Identifier: Apache-2.0
// What a request to the Alertmanager's proxy costs on the thread that handles it: head, log-in from memory,
// body, the call to a scripted upstream over the loopback, the answer. The upstream and its threads are not
// counted.
#include <benchmark/benchmark.h>

#include "alertmanager/proxy_for_test.h"

namespace collect::alertmanager {
namespace {

std::string alerts(int count) {
  std::string body = "[";
  for (int i = 0; i < count; ++i) {
    body +=
        R"({"labels":{"alertname":"DiskFull","severity":"critical","node":")" + std::to_string(i) +
        R"(","device":"/dev/sda1","job":"node"},"annotations":{"summary":"Alert {{.alertname}} has severity )"
        R"({{.severity}}","description":"{{.device}} on {{.node}} is full"},"startsAt":"2026-01-02T03:04:05.678Z",)"
        R"("endsAt":"2026-01-02T04:04:05Z","generatorURL":"http://vmalert/alert?group_id=1&alert_id=2"},)";
  }
  body.back() = ']';
  return body;
}

void ask(benchmark::State& state, std::string_view method, std::string_view path, const std::string& body) {
  ProxyForTest proxy;
  proxy.upstream.script(answer_with_everything);
  for (auto _ : state) {
    if (proxy.call(method, path, body).status != 200) state.SkipWithError("refused");
    if (state.iterations() % 1024 == 0) (void)proxy.upstream.take();
  }
}

// The call alone, as a client makes it that changes nothing.
void PlainCall(benchmark::State& state) {
  ScriptedUpstream upstream;
  TenantClient client(upstream.url(), {});
  const std::string body = alerts(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    if (!client.ask({"org-1", "POST", "alerts", "", body}, std::chrono::seconds(10)))
      state.SkipWithError("no answer");
  }
}
void PostAlerts(benchmark::State& state) {
  ask(state, "POST", "alerts", alerts(static_cast<int>(state.range(0))));
}
void GetAlerts(benchmark::State& state) {
  ask(state, "GET", "alerts?active=true&filter=severity%3Dcritical", "");
}
void GetSilence(benchmark::State& state) {
  ask(state, "GET", "silence/" + std::string(kSilenceOfA), "");
}
BENCHMARK(PlainCall)->Arg(1)->Arg(100);
BENCHMARK(PostAlerts)->Arg(1)->Arg(100)->Arg(1000);
BENCHMARK(GetAlerts);
BENCHMARK(GetSilence);

}  // namespace
}  // namespace collect::alertmanager
