// SPDX-License-Identifier: Apache-2.0
#include "app/collect.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "alertmanager/alert_history_api.h"
#include "alertmanager/proxy_api.h"
#include "alertmanager/tenant_client.h"
#include "alerts/alert_worker.h"
#include "alerts/dispatcher.h"
#include "app/backups_part.h"
#include "app/certificate.h"
#include "app/descriptors.h"
#include "app/health_api.h"
#include "app/metrics_page.h"
#include "app/monitors.h"
#include "app/version.h"
#include "app/workers.h"
#include "backend/engine.h"
#include "backend/object_stores.h"
#include "backups/backup_monitor.h"
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
#include "liveness/link_failed_monitor.h"
#include "net/server.h"
#include "operators/operators_api.h"
#include "queue/combining_enqueuer.h"
#include "queue/monitor.h"
#include "queue/sweeper.h"
#include "retention/sweeper.h"
#include "systems/authenticator.h"
#include "systems/info_api.h"

namespace collect::app {
namespace {

// Handlers mostly wait: for the group that writes their inventory to the queue, or for a log-in's look-up.
constexpr std::size_t kHandlerThreads = 64;
constexpr std::size_t kWaitingRequests = 1024;
// Of their own, so that a slow Alertmanager keeps nobody's inventory waiting.
constexpr std::size_t kProxyThreads = 16;
constexpr std::size_t kWaitingProxyRequests = 256;
// Of their own too: /metrics on its own address answers when all others are taken.
constexpr std::size_t kMetricsThreads = 2;
constexpr std::size_t kWaitingMetrics = 16;
constexpr std::size_t kMetricsConnections = 64;
constexpr std::size_t kLongestAnswer = std::size_t{4} << 20U;  // of an Alertmanager
constexpr std::chrono::hours kReceiptsKept{24 * 7};
constexpr std::int64_t kInventoriesPerMinute = 12000;
constexpr std::uint64_t kHeartbeatBody = 64 * 1024;
constexpr std::size_t kForgottenAtOnce = 10000;

// What a disk or a server did at that moment does not say yet what is wrong with it.
Failure with_advice(Failure failure) {
  if (failure.kind == FailureKind::unavailable) {
    failure.message += "; `collect doctor` tells what is wrong, then start it again";
  }
  return failure;
}

}  // namespace

// Members in start order; destruction is the stop order.
struct Collect::Parts {
  Parts(const Settings& chosen, Config config, std::unique_ptr<SystemClock> time,
        std::unique_ptr<backend::Engine> opened)
      : settings(chosen), own_clock(std::move(time)), live(std::move(config)), engine(std::move(opened)) {}
  // Also where the start failed: what the monitors run is younger than they, and must not go first.
  ~Parts() { monitors.stop(); }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  const Settings settings;
  const std::unique_ptr<SystemClock> own_clock;  // older than the parts: the engine was opened with it
  const Clock& clock{*own_clock};
  LiveConfig live;
  std::unique_ptr<backend::Engine> engine;
  backend::Stores stores{engine->stores()};
  queue::Queue& queues{engine->queue()};
  queue::WakeUp wake_up;
  queue::Monitor queue_monitor{queues, clock, [this](queue::Stage stage) { return handled(stage); }};

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
  alertmanager::TenantClient tenant_client{
      settings.mimir_url,
      {.http = {
           .connect_timeout = std::chrono::seconds(3), .max_answer_bytes = kLongestAnswer, .ca_file = ""}}};
  std::optional<Pool> proxy_pool;
  std::optional<alertmanager::ProxyApi> proxy_api;
  std::unique_ptr<BackupsPart> backups;
  std::optional<operators::OperatorsApi> operators_api;
  net::Router router;
  net::Router metrics_router;
  std::optional<Pool> pool;
  std::shared_ptr<const net::TlsIdentity> certificate;  // nullptr: plain HTTP
  std::optional<net::Server> server;
  std::optional<Pool> metrics_pool;
  std::optional<net::Server> metrics_server;
  std::string no_address;

  // What runs by the clock: the monitors in one process at a time, the tickers in each.
  Monitors monitors{stores.terms, clock, settings.monitor_lease};
  backend::Stores fenced{engine->fenced([this] { return monitors.runner().term(); })};
  backups::BackupMonitor backup_monitor{fenced.backups, fenced.systems, fenced.alerts,
                                        [this] { return live.get().notifications; }};
  liveness::HeartbeatMonitor heartbeat_monitor{
      fenced.liveness, {.timeout = std::chrono::minutes(settings.heartbeat_timeout_minutes)}};
  liveness::LinkFailedMonitor link_failed_monitor{
      fenced.link_failures,
      tenant_client,
      [this] { return live.get().notifications; },
      [this] {
        if (dispatcher) dispatcher->wake();
      },
      {.interval = settings.link_failed_interval,
       .timeout = std::chrono::minutes(settings.heartbeat_timeout_minutes),
       .time_left = [this] { return monitors.runner().left(); }}};
  retention::Sweeper retention{fenced.retention,
                               [this](const SystemId& system_id, std::span<const RecordId> records) {
                                 return fenced.records.remove(system_id, records);
                               },
                               clock,
                               {.interval = settings.inventory_cleanup_interval}};
  std::vector<std::unique_ptr<Ticker>> tickers;
  bool stopped = false;
  Outage database_outage{"database"};
  Outage queue_outage{"queue"};

  void start_workers();
  Result<void> start_door();
  Result<void> start_metrics();
  void add_routes();
  void start_tickers();
  void add_monitors();
  void every(std::string name, std::chrono::milliseconds interval, std::function<void()> run) {
    tickers.push_back(std::make_unique<Ticker>(std::move(name), interval, std::move(run)));
  }
  void renew_certificate();
  void add_sweeps();
  void sweep(queue::Stage stage, queue::Sweeper::Find find);
  [[nodiscard]] std::vector<std::string> not_ready();
  [[nodiscard]] std::string metrics();
  [[nodiscard]] std::uint64_t handled(queue::Stage stage) const;
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
  proxy_api->add_to(router);
  backups->api().add_to(router, authenticator);
  router.add(net::Method::post, "/api/alert_history",
             alertmanager::alert_history_endpoint(stores.alert_history, clock,
                                                  settings.alerting_history_webhook_secret));
  router.add(net::Method::get, "/api/systems/info", systems::info_endpoint(authenticator, stores.systems));
  operators::add_openapi(router);
  if (operators_api) operators_api->add_to(router);
  add_health(router, [this] { return not_ready(); });
  if (settings.metrics_address.empty()) add_metrics(router, [this] { return metrics(); });
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
  auto opened = BackupsPart::open(settings, stores.backups, clock);
  if (!opened) return opened.failure();
  backups = *std::move(opened);
  proxy_pool.emplace(kProxyThreads, kWaitingProxyRequests);
  proxy_api.emplace(tenant_client, authenticator, stores.systems, clock,
                    alertmanager::ProxyApi::Options{.pool = &*proxy_pool});
  if (!settings.operator_token.empty()) {
    operators_api.emplace(settings.operator_token,
                          operators::OperatorsApi::Sources{stores.systems, stores.history, stores.tallies,
                                                           stores.alerts, stores.link_failures, queue_monitor,
                                                           kVersion, engine->facts().name});
  }
  add_routes();
  pool.emplace(kHandlerThreads, kWaitingRequests);
  net::ServerOptions options;
  options.listen_address = settings.listen_address;
  options.tls = certificate;
  options.handler_timeout = settings.api_request_timeout;
  if (const std::size_t descriptors = raise_descriptor_limit(); descriptors > 0) {
    options.max_connections = std::min(options.max_connections, connections_within(descriptors));
  }
  server.emplace(options, router, *pool, clock);
  return server->start();
}

// In every role: what workers count is not to be had elsewhere.
Result<void> Collect::Parts::start_metrics() {
  if (settings.metrics_address.empty()) return {};
  add_metrics(metrics_router, [this] { return metrics(); });
  metrics_pool.emplace(kMetricsThreads, kWaitingMetrics);
  net::ServerOptions options;
  options.listen_address = settings.metrics_address;
  options.handler_timeout = settings.api_request_timeout;
  options.io_threads = 1;
  options.max_connections = kMetricsConnections;
  metrics_server.emplace(options, metrics_router, *metrics_pool, clock);
  return metrics_server->start();
}

void Collect::Parts::sweep(queue::Stage stage, queue::Sweeper::Find find) {
  using namespace std::chrono_literals;
  auto sweeper = std::make_shared<queue::Sweeper>(queues, stage, std::move(find), clock);
  monitors.add(fmt::format("sweep_{}", queue::to_string(stage)), 60s, [sweeper] { sweeper->sweep(); });
}

void Collect::Parts::start_tickers() {
  using namespace std::chrono_literals;
  every("queue_upkeep", 1s, [this] {
    for (const queue::Stage stage : queue::kStages) {
      const auto moved = queues.upkeep(stage);
      if (moved && *moved > 0) wake_up.ring(stage);
    }
  });
  if (!backups) return;
  every("backup_renewal", 15s, [this] { backups->renew(); });
  // A directory may be each process's own.
  every("backup_sweep", 1h, [this] { backups->sweep(); });
  tickers.back()->poke();
}

void Collect::Parts::add_monitors() {
  using namespace std::chrono_literals;
  monitors.add("queue_monitor", 30s, [this] { queue_monitor.run(); });
  monitors.add("heartbeat_monitor", 60s, [this] { (void)heartbeat_monitor.run(clock.now()); });
  monitors.add("backup_monitor", 10min, [this] {
    const auto news = backup_monitor.run(clock.now());
    if (!news) log::warn("backup_monitor_failed", {{"error", news.failure().message}});
    if (news && *news && dispatcher) dispatcher->wake();
  });
  // What stands in Alertmanagers may be about to end there.
  monitors.add(
      "link_failed_monitor", settings.link_failed_interval,
      [this] { (void)link_failed_monitor.run(clock.now()); }, Monitors::First::at_once,
      [this] { link_failed_monitor.leave(); });
  monitors.add(
      "retention", 1s, [this] { retention.tick(); }, Monitors::First::after_interval,
      [this] { retention.leave(); });
  monitors.add("forget_messages", 10min, [this] {
    (void)fenced.intake.forget_messages(clock.now() - kReceiptsKept, kForgottenAtOnce);
  });
  add_sweeps();
}

void Collect::Parts::add_sweeps() {
  const int attempts = static_cast<int>(settings.queue_retry_attempts);
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

std::uint64_t Collect::Parts::handled(queue::Stage stage) const {
  std::uint64_t sum = 0;
  for (const auto& of : stages) {
    if (of->stage() != stage) continue;
    for (const auto& worker : of->workers()) sum += worker.consumer->counters().handled;
  }
  return sum;
}

std::string Collect::Parts::metrics() {
  Counted counted;
  if (server) counted.server = &server->counters();
  if (inventory_api) counted.door = &inventory_api->counters();
  if (heartbeat_writer) counted.heartbeats = &heartbeat_writer->counters();
  counted.authentication = &authenticator.counters();
  if (backups) {
    counted.backups = &backups->service().counters();
    counted.backup_api = &backups->api().counters();
  }
  if (proxy_api) counted.proxy = &proxy_api->counters();
  counted.tenant_retries = tenant_client.retries();
  counted.link_failed = &link_failed_monitor.counters();
  counted.retention = &retention.counters();
  counted.runner = &monitors.runner();
  counted.rounds = monitors.rounds();
  if (auto fleet = stores.link_failures.count()) counted.fleet = *std::move(fleet);
  if (!stages.empty()) {
    counted.store = &store_worker.counters();
    counted.diff = &diff_worker.counters();
    counted.alerts = &alert_worker.counters();
    counted.channels = dispatcher->counters();
    if (auto depths = stores.notifications.depths()) counted.channel_depths = *std::move(depths);
  }
  for (const auto& stage : stages) {
    for (const auto& worker : stage->workers())
      counted.workers.push_back({worker.name, stage->stage(), &worker.consumer->counters()});
  }
  return metrics_page(counted, queue_monitor.reading(std::chrono::seconds(1)));
}

Result<std::unique_ptr<Collect>> Collect::start(const Settings& settings, Config config, Role role) {
  auto clock = std::make_unique<SystemClock>();
  std::shared_ptr<const net::TlsIdentity> certificate;
  if (role != Role::worker) {
    auto loaded = load_service_certificate(settings, clock->now());
    if (!loaded) return loaded.failure();
    certificate = *std::move(loaded);
  }
  const auto applied = backend::migrate(settings, clock->now());
  if (!applied) return with_advice(applied.failure());
  for (const std::string& name : *applied) log::info("migration_applied", {{"name", name}});

  auto engine = backend::open(settings, backend::Use::service, *clock);
  if (!engine) return with_advice(engine.failure());
  auto parts = std::make_unique<Parts>(settings, std::move(config), std::move(clock), std::move(*engine));
  parts->certificate = std::move(certificate);
  if (role != Role::api) parts->start_workers();
  parts->add_monitors();  // before the door opens: /metrics tells of them
  if (role != Role::worker) {
    if (auto door = parts->start_door(); !door) return door.failure();
  }
  if (auto metrics = parts->start_metrics(); !metrics) return metrics.failure();
  parts->start_tickers();
  parts->monitors.start();
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
  if (!address().empty()) {
    out += fmt::format("  listening   {}://{}\n", parts_->certificate ? "https" : "http", address());
  }
  if (parts_->metrics_server) {
    out += fmt::format("  metrics     http://{}/metrics\n", parts_->metrics_server->address());
  }
  if (parts_->backups) out += fmt::format("  backups     {}\n", backend::object_store_name(parts_->settings));
  for (const std::string& warning : facts.warnings) out += fmt::format("  WARNING     {}\n", warning);
  return out;
}

void Collect::Parts::renew_certificate() {
  if (!certificate) return;
  auto renewed = load_service_certificate(settings, clock.now());
  if (!renewed) {
    log::error("certificate_refused",
               {{"reason", renewed.failure().message}, {"kept_ends_at", to_rfc3339(certificate->ends_at())}});
    return;
  }
  certificate = *std::move(renewed);
  server->renew_tls(certificate);
}

void Collect::reload() {
  parts_->renew_certificate();
  if (!parts_->live.reload(parts_->settings) || !parts_->dispatcher) return;
  parts_->dispatcher->apply(alerts::dispatch_rules_of(parts_->live.get().notifications));
}

bool Collect::stop() {
  Parts& parts = *parts_;
  if (parts.stopped) return true;
  parts.stopped = true;
  // Monitors first: nothing new is found. Then the door, so that nothing new comes; then the workers, which
  // end with empty claims.
  parts.link_failed_monitor.request_stop();
  parts.monitors.stop();
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
