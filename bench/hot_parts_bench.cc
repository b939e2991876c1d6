// SPDX-License-Identifier: Apache-2.0
// What one inventory of 30 KB costs in each part that it passes. CPU time of one thread; every iteration
// takes the next report of a fleet whose every report changes something.
#include <benchmark/benchmark.h>

#include <ctime>
#include <future>
#include <map>

#include "base/hash.h"
#include "base/json.h"
#include "diff/differ.h"
#include "fleet/appliance.h"
#include "inventory/derive.h"
#include "inventory/intake.h"
#include "inventory/inventory_api.h"
#include "inventory/packing.h"
#include "inventory/report.h"
#include "inventory/store_worker.h"
#include "net/raw_client_for_test.h"
#include "net/server.h"
#include "queue/message.h"
#include "systems/fake_system_store.h"

namespace collect {
namespace {

constexpr std::size_t kBytes = 30'000;

const std::vector<std::string>& reports() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> out;
    for (const auto kind : {fleet::Kind::ns8, fleet::Kind::nsec}) {
      fleet::Appliance appliance({kind, 7, kBytes, 1.0});
      out.push_back(appliance.first().json);
      for (int i = 1; i < 32; ++i) out.push_back(appliance.next().json);
    }
    return out;
  }();
  return all;
}

// `state` goes on to the next report of the same kind; never from one kind to the other.
class Turn {
 public:
  const std::string& next() { return reports()[at_ = (at_ + 1) % reports().size()]; }
  [[nodiscard]] const std::string& previous() const {
    return reports()[at_ % (reports().size() / 2) == 0 ? at_ : at_ - 1];
  }

 private:
  std::size_t at_ = 0;
};

template <class Work>
void each_report(benchmark::State& state, Work work) {
  Turn turn;
  for (auto _ : state) {
    const std::string& report = turn.next();
    benchmark::DoNotOptimize(work(report, turn));
  }
}

void hash(benchmark::State& state) {
  each_report(state, [](const std::string& report, Turn&) { return sha256(report); });
}
void check(benchmark::State& state) {
  each_report(state, [](const std::string& report, Turn&) { return inventory::read_report(report); });
}
void parse(benchmark::State& state) {
  each_report(state,
              [](const std::string& report, Turn&) { return json::Document::parse_checked(report).ok(); });
}

queue::Message message_of(const std::string& report) {
  queue::Message message;
  message.id = MessageId("0190a8c0-5f7e-7c11-8000-000000000001");
  message.system_id = SystemId("0190a8c0-5f7e-7c11-8000-000000000002");
  message.data =
      R"({"system_id":"0190a8c0-5f7e-7c11-8000-000000000002","timestamp":"2026-01-02T03:04:05.678901Z","data":)" +
      report + "}";
  message.created_at = SystemClock().now();
  return message;
}

void read_message(benchmark::State& state) {
  std::map<std::string_view, std::string> texts;
  for (const auto& report : reports()) texts[report] = queue::encode(message_of(report));
  const Time now = SystemClock().now();
  each_report(state, [&](const std::string& report, Turn&) {
    inventory::Recent nothing_is_remembered;
    return inventory::read_arrival(queue::decode(texts[report], 3).value(), nothing_is_remembered, now).ok();
  });
}

// Parsing included.
void derive(benchmark::State& state) {
  const inventory::ApplicationRules rules{"https://{leader_fqdn}/cluster-admin/#/apps/{module_id}",
                                          {"traefik"}};
  each_report(state, [&](const std::string& report, Turn&) {
    inventory::Recent nothing_is_remembered;
    inventory::Arrival arrival;
    arrival.document = report;
    return inventory::read_derived(arrival, rules, nothing_is_remembered);
  });
}

// Of documents that are parsed already.
void compare(benchmark::State& state) {
  const auto rules = diff::Rules::builtin();
  std::map<std::string_view, json::Document> parsed;
  for (const auto& report : reports()) parsed.emplace(report, json::Document::parse_checked(report).value());
  each_report(state, [&](const std::string& report, Turn& turn) {
    return diff::compare(
        rules, {.previous = parsed.at(turn.previous()).root(), .current = parsed.at(report).root()});
  });
}

void pack(benchmark::State& state) {
  each_report(
      state, [&](const std::string& report, Turn& turn) { return inventory::pack(report, turn.previous()); });
}

// With its base, as when neither is remembered; the check of its hash included.
void unpack(benchmark::State& state) {
  std::map<std::string_view, std::pair<inventory::PackedRow, inventory::PackedRow>> rows;
  Turn turn;
  for (std::size_t i = 0; i < reports().size(); ++i) {
    const auto& report = turn.next();
    const auto& base = turn.previous();
    rows[report] = {{RecordId{2}, RecordId{1}, 1, inventory::pack(report, base), to_hex(sha256(report))},
                    {RecordId{1}, std::nullopt, 0, inventory::pack(base), to_hex(sha256(base))}};
  }
  each_report(state, [&](const std::string& report, Turn&) {
    const auto& [row, base] = rows.at(report);
    return inventory::unpack(row, &base).ok();
  });
}

// Not a time: the bytes of a packed document in which only counters moved, the share of the full ones
// included.
void counters_only(benchmark::State& state) {
  std::size_t bytes = 0;
  std::size_t packed = 0;
  for (auto _ : state) {
    for (const auto kind : {fleet::Kind::ns8, fleet::Kind::nsec}) {
      fleet::Appliance appliance({kind, 7, kBytes, 0});
      const std::string base = appliance.first().json;
      bytes += inventory::pack(base).size();
      for (int i = 1; i < inventory::kMostOnABase; ++i)
        bytes += inventory::pack(appliance.next().json, base).size();
      packed += static_cast<std::size_t>(inventory::kMostOnABase);
    }
  }
  state.counters["bytes"] = static_cast<double>(bytes) / static_cast<double>(packed);
}

// ---------------------------------------------------------------- the door

// Answers no question that the door asks while it accepts.
class NoStore final : public inventory::IntakeStore {
 public:
  Result<std::vector<RecordId>> take_in(std::span<const inventory::Arrival>, Time,
                                        const inventory::DecideIntake&) override {
    return internal("not asked");
  }
  Result<std::set<MessageId>> book_dead(std::span<const inventory::ProcessedMessage>, Time) override {
    return internal("not asked");
  }
  Result<std::optional<inventory::Receipt>> receipt(const SystemId&, const MessageId&) override {
    return internal("not asked");
  }
  Result<std::uint64_t> forget_messages(Time, std::size_t) override { return internal("not asked"); }
};

double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}
double process_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// From the socket to the 202, into a queue that takes everything at once, while some appliances each send one
// report after the other; of one report. The time of all threads but theirs.
void accept_from(std::size_t appliances, benchmark::State& state) {
  const SystemClock clock;
  systems::FakeSystemStore systems;
  const std::string secret(40, 's');
  systems::NewSystem system;
  system.id = SystemId("0190a8c0-5f7e-7c11-8000-000000000002");
  system.system_key = "NETH-0000-0000-0000-0000-0000-0000-0000-0001";
  system.secret = {"public", systems::salted_sha256(std::string(16, 'a'), secret)};
  system.registered = true;
  if (!systems.create(system, clock.now())) std::abort();
  systems::Authenticator authenticator(systems, clock, {});
  NoStore store;
  inventory::InventoryApi api(
      [](std::string text) -> Result<void> {
        benchmark::DoNotOptimize(text);
        return {};
      },
      store, clock, {.budget_per_minute = 100'000'000});
  net::Router router;
  api.add_to(router, authenticator);
  Pool pool(4, 1024);
  net::Server server({.listen_address = "127.0.0.1:0"}, router, pool, clock);
  if (!server.start()) std::abort();
  std::vector<std::string> requests;
  for (const auto& report : reports()) {
    requests.push_back("POST /api/systems/inventory HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic " +
                       to_base64(system.system_key + ":my_public." + secret) +
                       "\r\nContent-Type: application/json\r\n" +
                       "Content-Length: " + std::to_string(report.size()) + "\r\n\r\n" + report);
  }
  constexpr std::size_t kRequests = 1000;  // of each
  for (auto _ : state) {
    const double before = process_seconds() - thread_seconds();
    std::vector<std::future<double>> clients(appliances);
    for (auto& client : clients) {
      client = std::async(std::launch::async, [&] {
        net::RawClient connection(server.port());
        for (std::size_t i = 0; i < kRequests; ++i) {
          if (connection.ask(requests[i % requests.size()]).status != 202) std::abort();
        }
        return thread_seconds();
      });
    }
    double theirs = 0;
    for (auto& client : clients) theirs += client.get();
    const double server_seconds = process_seconds() - thread_seconds() - before - theirs;
    state.SetIterationTime(server_seconds / static_cast<double>(appliances * kRequests));
  }
}
void accept(benchmark::State& state) {
  accept_from(8, state);
}
// Its threads sleep between two requests: waking them comes on top.
void accept_alone(benchmark::State& state) {
  accept_from(1, state);
}

BENCHMARK(counters_only)->Iterations(1);
BENCHMARK(accept)->UseManualTime()->Iterations(5)->Unit(benchmark::kMicrosecond);
BENCHMARK(accept_alone)->UseManualTime()->Iterations(5)->Unit(benchmark::kMicrosecond);
BENCHMARK(check)->Unit(benchmark::kMicrosecond);
BENCHMARK(read_message)->Unit(benchmark::kMicrosecond);
BENCHMARK(hash)->Unit(benchmark::kMicrosecond);
BENCHMARK(parse)->Unit(benchmark::kMicrosecond);
BENCHMARK(derive)->Unit(benchmark::kMicrosecond);
BENCHMARK(pack)->Unit(benchmark::kMicrosecond);
BENCHMARK(unpack)->Unit(benchmark::kMicrosecond);
BENCHMARK(compare)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace collect

BENCHMARK_MAIN();
