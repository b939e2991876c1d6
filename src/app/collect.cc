// SPDX-License-Identifier: Apache-2.0
#include "app/collect.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "alerts/alert_worker.h"
#include "alerts/dispatcher.h"
#include "app/health_api.h"
#include "app/metrics_page.h"
#include "app/version.h"
#include "app/workers.h"
#include "backend/engine.h"
#include "base/log.h"
#include "base/outage.h"
#include "base/pool.h"
#include "base/ticker.h"
#include "inventory/diff_worker.h"
#include "inventory/inventory_api.h"
#include "inventory/jobs.h"
#include "inventory/store_worker.h"
#include "liveness/heartbeat_api.h"
#include "liveness/heartbeat_monitor.h"
#include "liveness/heartbeat_writer.h"
#include "net/server.h"
#include "queue/combining_enqueuer.h"
#include "queue/monitor.h"
#include "queue/sweeper.h"
#include "systems/authenticator.h"
#include "systems/info_api.h"

namespace collect::app {
namespace {

// Handlers mostly wait: for the group that writes their inventory to the queue, or for a log-in's look-up.
constexpr std::size_t kHandlerThreads = 64;
constexpr std::size_t kWaitingRequests = 1024;
constexpr std::chrono::hours kReceiptsKept{24 * 7};
constexpr std::int64_t kInventoriesPerMinute = 12000;
constexpr std::uint64_t kHeartbeatBody = 64 * 1024;
constexpr std::size_t kForgottenAtOnce = 10000;

// Settings of the interface whose part is not in this version. Better no service than one that only seems to
// obey.
Result<void> check_supported(const Settings& settings) {
  if (!settings.tls_cert_file.empty()) {
    return invalid(
        "TLS_CERT_FILE is set, but this version serves plain HTTP: unset it and put a proxy with TLS in "
        "front");
  }
  if (settings.inventory_store == "compact") {
    return invalid(
        "INVENTORY_STORE=compact is not in this version: unset it (documents are stored as jsonb)");
  }
  return {};
}

}  // namespace

// Members in start order; destruction is the stop order.
struct Collect::Parts {
  Parts(const Settings& chosen, Config config, std::unique_ptr<SystemClock> time,
        std::unique_ptr<backend::Engine> opened)
      : settings(chosen), own_clock(std::move(time)), live(std::move(config)), engine(std::move(opened)) {}

  const Settings settings;
  const std::unique_ptr<SystemClock> own_clock;  // older than the parts: the engine was opened with it
  const Clock& clock{*own_clock};
  LiveConfig live;
  std::unique_ptr<backend::Engine> engine;
  backend::Stores stores{engine->stores()};
  queue::Queue& queues{engine->queue()};
  queue::WakeUp wake_up;
  queue::Monitor queue_monitor{queues, clock};

  // The stages.
  queue::LeaseKeeper leases{queues, std::chrono::seconds(15)};
  inventory::Recent recent;
  inventory::StoreWorker store_worker{stores.intake, [this] { return live.get().applications; }, recent,
                                      clock};
  inventory::DiffWorker diff_worker{stores.comparison, [this] { return live.get().rules; }, recent, clock,
                                    static_cast<int>(settings.queue_retry_attempts)};
  std::optional<alerts::Dispatcher> dispatcher;  // sends what the stage below decides
  alerts::AlertWorker alert_worker{stores.alerts, [this] { return live.get().notifications; }, clock,
                                   [this] { dispatcher->wake(); }};
  std::vector<std::unique_ptr<StageWorkers>> stages;

  // The door.
  systems::Authenticator authenticator{
      stores.systems,
      clock,
      {.cache_ttl = settings.system_auth_cache_ttl,
       .secret_min_length = static_cast<std::size_t>(settings.system_secret_min_length)}};
  std::unique_ptr<backend::Running> revocations;
  queue::CombiningEnqueuer enqueuer{queues, wake_up};
  std::optional<liveness::HeartbeatWriter> heartbeat_writer;
  std::optional<inventory::InventoryApi> inventory_api;
  net::Router router;
  net::Router metrics_router;
  std::optional<Pool> pool;
  std::optional<net::Server> server;
  std::optional<net::Server> metrics_server;
  std::string no_address;

  // What runs by the clock.
  liveness::HeartbeatMonitor heartbeat_monitor{
      stores.liveness, {.timeout = std::chrono::minutes(settings.heartbeat_timeout_minutes)}};
  std::vector<std::unique_ptr<Ticker>> tickers;
  bool stopped = false;
  Outage database_outage{"database"};
  Outage queue_outage{"queue"};

  void start_workers();
  Result<void> start_door();
  void add_routes();
  void start_monitors();
  void every(std::string name, std::chrono::milliseconds interval, std::function<void()> run) {
    tickers.push_back(std::make_unique<Ticker>(std::move(name), interval, std::move(run)));
  }
  void sweep(queue::Stage stage, queue::Sweeper::Find find);
  [[nodiscard]] std::vector<std::string> not_ready();
  [[nodiscard]] std::string metrics();
};

// ---------------------------------------------------------------- building

void Collect::Parts::start_workers() {
  const auto start = [&](queue::Stage stage, std::int64_t threads, queue::Handler& handler) {
    stages.push_back(std::make_unique<StageWorkers>(stage, static_cast<std::size_t>(threads), queues, handler,
                                                    leases, wake_up, clock, settings));
  };
  start(queue::Stage::inventory, settings.worker_inventory_count, store_worker);
  start(queue::Stage::processing, settings.worker_processing_count, diff_worker);
  dispatcher.emplace(
      stores.notifications,
      [this](const alerts::ChannelConfig& config, std::size_t most_shown) {
        return alerts::make_channel(config, most_shown, {settings.mimir_url, clock});
      },
      clock);
  dispatcher->apply(alerts::dispatch_rules_of(live.get().notifications));
  start(queue::Stage::notification, settings.worker_notification_count, alert_worker);
}

void Collect::Parts::add_routes() {
  inventory_api->add_to(router, authenticator);
  router.add(net::Method::post, "/api/systems/heartbeat",
             liveness::heartbeat_endpoint(authenticator, *heartbeat_writer, clock, kHeartbeatBody));
  router.add(net::Method::get, "/api/systems/info", systems::info_endpoint(authenticator, stores.systems));
  add_health(router, [this] { return not_ready(); });
  add_metrics(settings.metrics_address.empty() ? router : metrics_router, [this] { return metrics(); });
}

Result<void> Collect::Parts::start_door() {
  revocations = engine->listen({.revoked = [this](std::string_view key) { authenticator.invalidate(key); },
                                .anything_may_have_changed = [this] { authenticator.clear(); }});
  heartbeat_writer.emplace(stores.liveness, liveness::HeartbeatWriter::Options{});
  inventory_api.emplace(
      [this](std::string text) { return enqueuer.put(queue::Stage::inventory, std::move(text)); },
      stores.intake, clock,
      inventory::InventoryApi::Options{.max_request_bytes = settings.api_max_request_size.bytes,
                                       .budget_per_minute = kInventoriesPerMinute,
                                       .max_attempts = static_cast<int>(settings.queue_retry_attempts),
                                       .receipts_kept = kReceiptsKept});
  add_routes();
  pool.emplace(kHandlerThreads, kWaitingRequests);
  net::ServerOptions options;
  options.listen_address = settings.listen_address;
  options.handler_timeout = settings.api_request_timeout;
  server.emplace(options, router, *pool, clock);
  if (auto started = server->start(); !started) return started;
  if (settings.metrics_address.empty()) return {};
  options.listen_address = settings.metrics_address;
  options.io_threads = 1;
  metrics_server.emplace(options, metrics_router, *pool, clock);
  return metrics_server->start();
}

void Collect::Parts::sweep(queue::Stage stage, queue::Sweeper::Find find) {
  using namespace std::chrono_literals;
  auto sweeper = std::make_shared<queue::Sweeper>(queues, stage, std::move(find), clock);
  every(fmt::format("sweep_{}", queue::to_string(stage)), 60s, [sweeper] { sweeper->sweep(); });
}

void Collect::Parts::start_monitors() {
  using namespace std::chrono_literals;
  const int attempts = static_cast<int>(settings.queue_retry_attempts);
  every("queue_upkeep", 1s, [this] {
    for (const queue::Stage stage : queue::kStages) {
      const auto moved = queues.upkeep(stage);
      if (moved && *moved > 0) wake_up.ring(stage);
    }
  });
  every("queue_monitor", 30s, [this] { queue_monitor.run(); });
  every("heartbeat_monitor", 60s, [this] { (void)heartbeat_monitor.run(clock.now()); });
  every("forget_messages", 10min,
        [this] { (void)stores.intake.forget_messages(clock.now() - kReceiptsKept, kForgottenAtOnce); });
  sweep(queue::Stage::processing,
        [this, attempts](Time before, std::size_t limit) -> Result<std::vector<queue::Onward>> {
          const auto records = stores.comparison.unfinished(before, limit);
          if (!records) return records.failure();
          std::map<SystemId, queue::Onward> jobs;
          for (const auto& record : *records) {
            jobs.try_emplace(record.system_id,
                             inventory::comparison_job(record.system_id, attempts, clock.now()));
          }
          std::vector<queue::Onward> out;
          for (auto& [system_id, job] : jobs) out.push_back(std::move(job));
          return out;
        });
  sweep(queue::Stage::notification,
        [this, attempts](Time before, std::size_t limit) -> Result<std::vector<queue::Onward>> {
          const auto records = stores.alerts.unfinished(before, limit);
          if (!records) return records.failure();
          std::vector<queue::Onward> out;
          for (const auto& record : *records) {
            out.push_back(
                inventory::notification_job(record.system_id, record.record_id, attempts, clock.now()));
          }
          return out;
        });
}

// ---------------------------------------------------------------- running

std::vector<std::string> Collect::Parts::not_ready() {
  std::vector<std::string> missing;
  const auto look = [&missing](const auto& answer, Outage& outage, const char* what) {
    if (answer) return outage.over();
    outage.began(answer.failure().message);
    missing.emplace_back(what);
  };
  look(stores.systems.revision(), database_outage, "the database is not available");
  look(queues.depth(queue::Stage::inventory), queue_outage, "the queue is not available");
  return missing;
}

std::string Collect::Parts::metrics() {
  Counted counted;
  if (server) counted.server = &server->counters();
  if (inventory_api) counted.door = &inventory_api->counters();
  if (heartbeat_writer) counted.heartbeats = &heartbeat_writer->counters();
  counted.authentication = &authenticator.counters();
  if (!stages.empty()) {
    counted.store = &store_worker.counters();
    counted.diff = &diff_worker.counters();
    counted.alerts = &alert_worker.counters();
    counted.channels = dispatcher->counters();
    if (auto depths = stores.notifications.depths()) counted.channel_depths = *std::move(depths);
  }
  for (const auto& stage : stages) {
    for (const auto& worker : stage->workers())
      counted.workers.emplace_back(worker.name, &worker.consumer->counters());
  }
  return metrics_page(counted, queue_monitor.reading(std::chrono::seconds(5)));
}

Result<std::unique_ptr<Collect>> Collect::start(const Settings& settings, Config config, Role role) {
  if (auto supported = check_supported(settings); !supported) return supported.failure();
  auto clock = std::make_unique<SystemClock>();
  const auto applied = backend::migrate(settings, clock->now());
  if (!applied) return applied.failure();
  for (const std::string& name : *applied) log::info("migration_applied", {{"name", name}});

  auto engine = backend::open(settings, backend::Use::service, *clock);
  if (!engine) return engine.failure();
  auto parts = std::make_unique<Parts>(settings, std::move(config), std::move(clock), std::move(*engine));
  if (role != Role::api) parts->start_workers();
  if (role != Role::worker) {
    if (auto door = parts->start_door(); !door) return door.failure();
  }
  parts->start_monitors();
  std::unique_ptr<Collect> collect(new Collect(std::move(parts)));
  log::info("service_started", {{"version", kVersion},
                                {"engine", collect->parts_->engine->facts().name},
                                {"address", collect->address()}});
  return collect;
}

Collect::Collect(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Collect::~Collect() {
  stop();
}

const std::string& Collect::address() const {
  return parts_->server ? parts_->server->address() : parts_->no_address;
}

std::string Collect::banner() const {
  const backend::EngineFacts facts = parts_->engine->facts();
  std::string out = fmt::format("Collect {}\n  engine      {}\n  durability  {}\n  rules       {}\n",
                                kVersion, facts.name, facts.durability, parts_->live.get().origin);
  if (!address().empty()) out += fmt::format("  listening   http://{}\n", address());
  if (parts_->metrics_server) {
    out += fmt::format("  metrics     http://{}/metrics\n", parts_->metrics_server->address());
  }
  for (const std::string& warning : facts.warnings) out += fmt::format("  WARNING     {}\n", warning);
  return out;
}

void Collect::reload() {
  if (!parts_->live.reload(parts_->settings) || !parts_->dispatcher) return;
  parts_->dispatcher->apply(alerts::dispatch_rules_of(parts_->live.get().notifications));
}

bool Collect::stop() {
  Parts& parts = *parts_;
  if (parts.stopped) return true;
  parts.stopped = true;
  // Monitors first: nothing new is found. Then the door, so that nothing new comes; then the workers, which
  // end with empty claims.
  parts.tickers.clear();
  bool clean = true;
  for (auto& stage : parts.stages) stage->request_stop();
  if (parts.server) clean = parts.server->drain(parts.settings.worker_shutdown_timeout);
  if (parts.metrics_server) clean = parts.metrics_server->drain(std::chrono::seconds(1)) && clean;
  if (parts.dispatcher) parts.dispatcher->request_stop();
  parts.stages.clear();
  if (parts.heartbeat_writer) clean = parts.heartbeat_writer->flush().ok() && clean;
  log::info("service_stopped", {{"clean", clean}});
  return clean;
}

}  // namespace collect::app
