// SPDX-License-Identifier: Apache-2.0
#include "backend/redis/invalidation_subscriber.h"

#include <algorithm>
#include <random>

#include "base/log.h"
#include "systems/revocation.h"

namespace collect::redis {
namespace {

using namespace std::chrono_literals;

// How long the thread may overlook that it shall end.
constexpr auto kPatience = 200ms;

std::chrono::milliseconds jittered(std::chrono::milliseconds time) {
  thread_local std::minstd_rand random(std::random_device{}());
  return std::chrono::milliseconds(
      std::uniform_int_distribution<std::int64_t>(time.count() / 2, time.count())(random));
}

}  // namespace

Result<std::int64_t> publish_invalidation(Connection& connection, std::string_view channel,
                                          std::string_view hmac_secret, std::string_view system_key) {
  const auto reply =
      connection.command({"PUBLISH", channel, systems::revocation_payload(system_key, hmac_secret)});
  if (!reply) return reply.failure();
  return reply->integer();
}

InvalidationSubscriber::InvalidationSubscriber(Options options, Handlers handlers)
    : options_(std::move(options)), handlers_(std::move(handlers)), thread_([this] { work(); }) {}

InvalidationSubscriber::~InvalidationSubscriber() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void InvalidationSubscriber::work() {
  auto backoff = options_.first_backoff;
  while (!stopping()) {
    const auto connection = Connection::open(options_.server);
    const Result<void> end = connection ? listen(**connection) : connection.failure();
    if (end) return;
    // A server that lets us in and drops us at once must not be hammered: only a subscription that held
    // resets.
    if (subscribed_) backoff = options_.first_backoff;
    lost(end.failure());
    pause(jittered(backoff));
    backoff = std::min(2 * backoff, options_.longest_backoff);
  }
}

// Until told to stop, or the failure that ended it.
Result<void> InvalidationSubscriber::listen(Connection& connection) {
  const auto confirmed = connection.command({"SUBSCRIBE", options_.channel});
  if (!confirmed) return confirmed.failure();
  begun();
  auto heard = std::chrono::steady_clock::now();
  while (!stopping()) {
    auto reply = connection.receive(kPatience);
    if (!reply) return reply.failure();
    if (!*reply) {
      if (std::chrono::steady_clock::now() - heard < options_.ping_interval) continue;
      // What answers may as well be a message that was faster than the pong: either shows that the server is
      // there.
      auto answer = connection.command({"PING"});
      if (!answer) return answer.failure();
      *reply = std::move(*answer);
    }
    heard = std::chrono::steady_clock::now();
    if (auto handled = handle(**reply); !handled) return handled.failure();
  }
  return {};
}

Result<void> InvalidationSubscriber::handle(const Reply& reply) {
  const std::string_view kind = reply.at(0).text();
  if (kind == "unsubscribe") return unavailable("Redis ended the subscription");
  if (kind != "message") return {};
  ++counters_.received;
  const auto key = systems::revoked_key(reply.at(2).text(), options_.hmac_secret);
  if (!key) {
    ++counters_.ignored;
    log::warn("revocation_ignored", {{"channel", options_.channel}, {"reason", key.failure().message}});
    return {};
  }
  log::debug("system_revoked", {{"system_key", *key}});
  handlers_.revoked(*key);
  return {};
}

void InvalidationSubscriber::begun() {
  handlers_.missed();
  subscribed_ = true;
  ++counters_.subscribed;
  log::info("revocations_subscribed", {{"channel", options_.channel}});
  reported_ = false;
}

void InvalidationSubscriber::lost(const Failure& failure) {
  if (subscribed_.exchange(false)) {
    ++counters_.lost;
    handlers_.missed();
  }
  if (!reported_) {
    log::warn("revocations_not_subscribed", {{"channel", options_.channel}, {"error", failure.message}});
  }
  reported_ = true;
}

bool InvalidationSubscriber::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void InvalidationSubscriber::pause(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, time, [this] { return stopping_; });
}

}  // namespace collect::redis
