// SPDX-License-Identifier: Apache-2.0
#include "backend/server_engine.h"

#include <fmt/format.h>

#include <optional>

#include "backend/move/move.h"
#include "backend/postgres/migrations.h"
#include "backend/postgres/postgres_stores.h"
#include "backend/redis/invalidation_subscriber.h"
#include "backend/redis/redis_queue.h"
#include "backend/server_findings.h"
#include "systems/revocation.h"

namespace collect::backend {
namespace {

class Subscription final : public Running {
 public:
  Subscription(redis::InvalidationSubscriber::Options options, RevocationListener listener)
      : subscriber_(std::move(options), {.revoked = std::move(listener.revoked),
                                         .missed = std::move(listener.anything_may_have_changed)}) {}

 private:
  redis::InvalidationSubscriber subscriber_;
};

class ServerEngine final : public Engine {
 public:
  ServerEngine(const Settings& settings, redis::ConnectionOptions redis,
               std::unique_ptr<redis::RedisQueue> queue)
      : settings_(settings),
        redis_(std::move(redis)),
        pool_(
            postgres::PoolOptions{.session = {.url = settings.database_url},
                                  .max_connections = static_cast<std::size_t>(settings.database_max_conns)}),
        stores_(pool_, document_form(settings)),
        queue_(std::move(queue)) {}

  [[nodiscard]] EngineFacts facts() const override {
    EngineFacts out{"PostgreSQL and Redis", "", {}};
    if (!queue_) return out;
    const redis::ServerFacts& facts = queue_->facts();
    out.name = fmt::format("PostgreSQL and Redis {}", facts.version);
    const bool appends = facts.append_only.value_or(false);
    if (appends && facts.append_fsync == "always") {
      out.durability = "a 202 survives a crash of Collect, of Redis and a power cut (appendfsync always)";
    } else if (appends && facts.append_fsync == "everysec") {
      out.durability =
          "a 202 survives a crash of Collect; a power cut may cost the last second (appendfsync everysec)";
    } else {
      out.durability = "a 202 survives a crash of Collect, not one of Redis";
    }
    for (const Finding& each : findings_of(facts)) {
      if (each.state != State::ok) out.warnings.push_back(fmt::format("{}: {}", each.found, each.advice));
    }
    return out;
  }

  Stores stores() override { return stores_.ports(); }
  Stores fenced(std::function<std::optional<std::int64_t>()> term) override {
    fenced_pool_.emplace(pool_, std::move(term));
    return fenced_stores_.emplace(*fenced_pool_, document_form(settings_)).ports();
  }
  queue::Queue& queue() override { return *queue_; }

  Result<void> announce(std::string_view system_key) override {
    const auto connection = redis::Connection::open(redis_);
    if (!connection) return connection.failure();
    const auto told =
        redis::publish_invalidation(**connection, systems::revocation_channel(settings_.app_env),
                                    settings_.internal_hmac_secret, system_key);
    if (!told) return told.failure();
    return {};
  }
  std::unique_ptr<Running> listen(RevocationListener listener) override {
    return std::make_unique<Subscription>(
        redis::InvalidationSubscriber::Options{.server = redis_,
                                               .channel = systems::revocation_channel(settings_.app_env),
                                               .hmac_secret = settings_.internal_hmac_secret},
        std::move(listener));
  }

 private:
  const Settings settings_;
  const redis::ConnectionOptions redis_;
  postgres::Pool pool_;
  postgres::PostgresStores stores_;
  std::optional<postgres::Pool> fenced_pool_;
  std::optional<postgres::PostgresStores> fenced_stores_;
  std::unique_ptr<redis::RedisQueue> queue_;  // not where only stores are used
};

}  // namespace

Result<redis::ConnectionOptions> redis_address(const Settings& settings) {
  auto address = redis::parse_url(settings.redis_url, static_cast<int>(settings.redis_db));
  if (!address) return invalid("REDIS_URL: " + address.failure().message);
  if (address->password.empty()) address->password = settings.redis_password;
  return address;
}

Result<std::unique_ptr<redis::RedisQueue>> open_redis_queue(const Settings& settings,
                                                            std::uint64_t max_depth) {
  auto redis = redis_address(settings);
  if (!redis) return redis.failure();
  return redis::RedisQueue::open({.connection = *std::move(redis),
                                  .names = {settings.queue_inventory_name, settings.queue_processing_name,
                                            settings.queue_notification_name},
                                  .max_depth = max_depth});
}

Result<std::unique_ptr<Engine>> open_servers(const Settings& settings, Use use) {
  const auto redis = redis_address(settings);
  if (!redis) return redis.failure();
  if (use == Use::stores)
    return std::unique_ptr<Engine>(std::make_unique<ServerEngine>(settings, *redis, nullptr));

  if (auto migrated = postgres::check_migrated({.url = settings.database_url}); !migrated)
    return migrated.failure();
  if (use == Use::service) {
    if (auto whole = check_moved_whole(settings); !whole) return whole.failure();
  }
  auto queue = open_redis_queue(settings, static_cast<std::uint64_t>(settings.queue_max_depth));
  if (!queue) return queue.failure();
  return std::unique_ptr<Engine>(std::make_unique<ServerEngine>(settings, *redis, std::move(*queue)));
}

}  // namespace collect::backend
