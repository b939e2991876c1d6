// SPDX-License-Identifier: Apache-2.0
// Who is calling: HTTP Basic with a system's key (or id) and secret. Contract section 2, "Auth".
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/outage.h"
#include "base/result.h"
#include "systems/credential.h"
#include "systems/system_store.h"
#include "systems/verdict_cache.h"

namespace collect::systems {

struct BasicCredentials {
  std::string user, password;
};
// Reads an Authorization header's value: "Basic" in any case, strict base64, the first colon divides. The
// user is 1 to 255 printable ASCII characters without spaces, so that every engine can look it up. nullopt:
// anything else, and what is longer than 2048 bytes.
std::optional<BasicCredentials> parse_basic(std::string_view authorization);

// Why a system with the right secret is refused all the same. nullopt: it is welcome.
std::optional<std::string_view> why_barred(const System& system);

// Each number only grows; readable from any thread.
struct AuthCounters {
  std::atomic<std::uint64_t> admitted{0}, refused{0};                         // answers, cached or not
  std::atomic<std::uint64_t> from_cache{0}, looked_up{0}, shared_look_up{0};  // where they came from
  std::atomic<std::uint64_t> unavailable{0};  // look-ups that the store failed
  std::atomic<std::uint64_t> secrets_hashed{0};
};

// Thread-safe.
class Authenticator {
 public:
  struct Options {
    std::chrono::milliseconds cache_ttl{std::chrono::minutes(10)};         // of admissions, each ±25 %
    std::chrono::milliseconds refused_cache_ttl{std::chrono::minutes(1)};  // of refusals
    std::size_t secret_min_length = 32;                                    // of the secret part
    VerdictCache::Limits cache{};
  };
  // Both outlive it.
  Authenticator(SystemStore& store, const Clock& clock, Options options);
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

  // Without blocking, for I/O threads: unknown means ask check().
  Verdict from_cache(std::string_view authorization);

  // Admitted or refused, never unknown; asks the store where it must. Any failure of the store is
  // `unavailable` and is not remembered. Callers who ask for the same credentials at the same time share one
  // look-up.
  Result<Verdict> check(std::string_view authorization);

  // Forgets what was decided about this system, named by system_key or id, or about everybody. Look-ups under
  // way are answered but not remembered.
  void invalidate(std::string_view key_or_id);
  void clear();

  [[nodiscard]] const AuthCounters& counters() const { return counters_; }
  [[nodiscard]] VerdictCache::Size cache_size() const { return cache_.size(); }

 private:
  // The credentials in a header, if a look-up could admit them.
  struct Candidate {
    BasicCredentials credentials;
    VerdictCache::Key key{};
    ~Candidate();
  };
  struct Flight {
    std::uint64_t epoch;
    std::shared_future<Result<Verdict>> outcome;
  };
  struct KeyHash {
    std::size_t operator()(const VerdictCache::Key& key) const;
  };

  std::optional<Candidate> read(std::string_view authorization);
  Verdict recall(const Candidate& candidate);
  Result<Verdict> look_up_once(const Candidate& candidate);
  Result<Verdict> look_up(const Candidate& candidate, std::uint64_t epoch);
  Verdict judge(const Candidate& candidate, const std::optional<Login>& login);
  Duration jittered_ttl();
  void count(const Verdict& verdict);
  void report_unavailable(const Failure& failure);

  SystemStore& store_;
  const Clock& clock_;
  const Options options_;
  std::string hash_key_;  // random, of this process; mixes the cache's keys
  VerdictCache cache_;
  AuthCounters counters_;
  std::atomic<std::int64_t> last_report_{0};  // seconds; when a failing store was last logged
  std::mutex flights_mutex_;
  std::unordered_map<VerdictCache::Key, Flight, KeyHash> flights_;  // guarded by flights_mutex_
  Outage outage_{"look-up of systems"};
};

}  // namespace collect::systems
