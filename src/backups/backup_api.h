// SPDX-License-Identifier: Apache-2.0
// POST and GET /api/systems/backups, GET and DELETE /api/systems/backups/{id}: docs/backups.md. Bodies pass
// by, on a pool of their own; nobody sees another system's backups.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "backups/backup_service.h"
#include "backups/rate_limit.h"
#include "base/pool.h"
#include "net/client_address.h"
#include "net/router.h"
#include "systems/authenticator.h"

namespace collect::backups {

struct BackupApiCounters {
  std::atomic<std::uint64_t> refused{0};       // 4xx before the body
  std::atomic<std::uint64_t> rate_limited{0};  // 429
  std::atomic<std::uint64_t> unavailable{0};   // 503
};

// Outlives the router's server.
class BackupApi {
 public:
  struct Options {
    std::uint64_t max_upload_bytes = 0;
    std::int64_t uploads_per_minute = 0;  // of a system; 0: no limit
    std::int64_t uploads_per_hour = 0;
    net::TrustedProxies trusted_proxies;
    // Bodies under way at once of one system, in both directions: nobody can take all of the pool.
    std::size_t transfers_per_system = 4;
  };

  // `pool`: where all of its handlers run; as many bodies are under way at once as it has threads.
  BackupApi(BackupService& service, Pool& pool, Options options);

  void add_to(net::Router& router, systems::Authenticator& authenticator);

  [[nodiscard]] const BackupApiCounters& counters() const { return counters_; }

 private:
  using Welcomed = std::variant<net::Response, net::Accepted>;
  class Transfer;

  using Handle = net::Response (BackupApi::*)(const Owner&, const net::Request&);

  Welcomed accept(std::shared_ptr<const systems::System> system, std::uint64_t max_body_bytes,
                  net::BodyUse use, Handle handle);
  Welcomed welcome_upload(const net::RequestHead& head, std::shared_ptr<const systems::System> system);
  net::Response post(const Owner& owner, const net::Request& request);
  net::Response list(const Owner& owner, const net::Request& request);
  net::Response get(const Owner& owner, const net::Request& request);
  net::Response remove(const Owner& owner, const net::Request& request);
  net::Response download(const Owner& owner, const BackupId& id, const net::Request& request,
                         std::shared_ptr<Transfer> transfer);
  net::Response answer_to(const Failure& failure, const net::Request& request);
  std::shared_ptr<Transfer> begin_transfer(const SystemId& system_id);

  BackupService& service_;
  Pool& pool_;
  const Options options_;
  RateLimit rate_limit_;
  BackupApiCounters counters_;
  std::mutex mutex_;
  std::map<SystemId, std::size_t> transfers_;  // under way, none of them 0; guarded by mutex_
};

}  // namespace collect::backups
