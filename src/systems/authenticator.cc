// SPDX-License-Identifier: Apache-2.0
#include "systems/authenticator.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "base/hash.h"
#include "base/ids.h"
#include "base/log.h"
#include "net/http.h"

namespace collect::systems {
namespace {

constexpr std::size_t kMaxHeader = 2048;
constexpr std::size_t kMaxUser = 255;
constexpr std::int64_t kReportEverySeconds = 10;

void wipe(std::string& text) {
  OPENSSL_cleanse(text.data(), text.size());
}

}  // namespace

std::optional<BasicCredentials> parse_basic(std::string_view authorization) {
  constexpr std::string_view kScheme = "Basic";
  if (authorization.size() > kMaxHeader || authorization.size() <= kScheme.size()) return std::nullopt;
  if (!net::equal_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) return std::nullopt;
  authorization.remove_prefix(kScheme.size());
  const std::size_t token = authorization.find_first_not_of(' ');
  if (token == 0 || token == std::string_view::npos) return std::nullopt;
  std::optional<std::string> decoded = from_base64(authorization.substr(token));
  if (!decoded) return std::nullopt;
  const std::size_t colon = decoded->find(':');
  std::optional<BasicCredentials> credentials;
  if (colon != std::string::npos) {
    credentials = BasicCredentials{decoded->substr(0, colon), decoded->substr(colon + 1)};
  }
  wipe(*decoded);
  if (!credentials) return std::nullopt;
  const std::string& user = credentials->user;
  const bool printable = std::all_of(user.begin(), user.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (user.empty() || user.size() > kMaxUser || !printable) return std::nullopt;
  return credentials;
}

std::optional<std::string_view> why_barred(const System& system) {
  if (system.deleted_at || system.status == "deleted") return "deleted";
  if (system.suspended_at) return "suspended";
  if (system.organization.deleted_at) return "organization deleted";
  if (system.organization.suspended_at) return "organization suspended";
  if (!system.registered_at) return "not registered";
  return std::nullopt;
}

Authenticator::Candidate::~Candidate() {
  wipe(credentials.password);
}

std::size_t Authenticator::KeyHash::operator()(const VerdictCache::Key& key) const {
  std::size_t out = 0;
  std::memcpy(&out, key.data(), sizeof out);
  return out;
}

Authenticator::Authenticator(SystemStore& store, const Clock& clock, Options options)
    : store_(store),
      clock_(clock),
      options_(options),
      hash_key_(from_hex(random_hex(32)).value()),
      cache_(options.cache) {}

std::optional<Authenticator::Candidate> Authenticator::read(std::string_view authorization) {
  std::optional<BasicCredentials> credentials = parse_basic(authorization);
  if (!credentials) return std::nullopt;
  const auto parts = parse_system_secret(credentials->password);
  if (!parts || parts->secret_part.size() < options_.secret_min_length) {
    wipe(credentials->password);
    return std::nullopt;
  }
  std::string keyed = hash_key_ + credentials->user + ":" + credentials->password;
  std::optional<Candidate> candidate(std::in_place);
  candidate->key = sha256(keyed);
  candidate->credentials = std::move(*credentials);
  wipe(keyed);
  return candidate;
}

Verdict Authenticator::recall(const Candidate& candidate) {
  Verdict verdict = cache_.find(candidate.key, clock_.now());
  if (verdict.kind != Verdict::Kind::unknown) {
    ++counters_.from_cache;
    count(verdict);
  }
  return verdict;
}

Verdict Authenticator::from_cache(std::string_view authorization) {
  const std::optional<Candidate> candidate = read(authorization);
  if (candidate) return recall(*candidate);
  count(Verdict::refused());
  return Verdict::refused();
}

Result<Verdict> Authenticator::check(std::string_view authorization) {
  const std::optional<Candidate> candidate = read(authorization);
  if (!candidate) {
    count(Verdict::refused());
    return Verdict::refused();
  }
  if (Verdict known = recall(*candidate); known.kind != Verdict::Kind::unknown) return known;
  Result<Verdict> outcome = look_up_once(*candidate);
  if (outcome) {
    outage_.over();
    count(*outcome);
  } else {
    outage_.began(outcome.failure().message);
  }
  return outcome;
}

Result<Verdict> Authenticator::look_up_once(const Candidate& candidate) {
  const std::uint64_t epoch = cache_.epoch();
  std::promise<Result<Verdict>> promise;
  std::optional<std::shared_future<Result<Verdict>>> others;
  bool leading = false;
  {
    const std::lock_guard lock(flights_mutex_);
    const auto [flight, fresh] = flights_.try_emplace(candidate.key);
    if (fresh) {
      flight->second = {epoch, promise.get_future().share()};
      leading = true;
    } else if (flight->second.epoch == epoch) {
      // A flight from before an invalidation may still see what was revoked: it is not for those who came
      // after.
      others = flight->second.outcome;
    }
  }
  if (others) {
    ++counters_.shared_look_up;
    return others->get();
  }
  if (!leading) return look_up(candidate, epoch);

  const auto land = [&] {
    const std::lock_guard lock(flights_mutex_);
    flights_.erase(candidate.key);
  };
  try {
    Result<Verdict> outcome = look_up(candidate, epoch);
    land();
    promise.set_value(outcome);
    return outcome;
  } catch (...) {
    land();
    promise.set_exception(std::current_exception());
    throw;
  }
}

Result<Verdict> Authenticator::look_up(const Candidate& candidate, std::uint64_t epoch) {
  ++counters_.looked_up;
  const Result<std::optional<Login>> login = store_.find(candidate.credentials.user);
  if (!login) {
    ++counters_.unavailable;
    report_unavailable(login.failure());
    return unavailable("systems cannot be looked up at the moment");
  }
  const Verdict verdict = judge(candidate, *login);
  const bool admitted = verdict.kind == Verdict::Kind::admitted;
  const Time expires = clock_.now() + (admitted ? jittered_ttl() : Duration(options_.refused_cache_ttl));
  const std::string_view user = candidate.credentials.user;
  std::array<std::string_view, 2> names{user, user};
  if (*login) names = {(*login)->system.system_key, (*login)->system.id.text()};
  cache_.put(candidate.key, verdict, names, expires, epoch);
  return verdict;
}

Verdict Authenticator::judge(const Candidate& candidate, const std::optional<Login>& login) {
  const auto given = parse_system_secret(candidate.credentials.password).value();
  ++counters_.secrets_hashed;
  const bool right = verify_secret(given, login ? login->secret : std::nullopt);
  if (!login) return Verdict::refused();
  const std::optional<std::string_view> barred = why_barred(login->system);
  if (right && !barred) return Verdict::admitted(std::make_shared<const System>(login->system));
  // Only here: the caller is never told which it was.
  log::debug("system_refused",
             {{"system_key", login->system.system_key}, {"reason", right ? *barred : "wrong secret"}});
  return Verdict::refused();
}

Duration Authenticator::jittered_ttl() {
  thread_local std::minstd_rand random(std::random_device{}());
  std::uniform_real_distribution<double> factor(0.75, 1.25);
  return std::chrono::duration_cast<Duration>(options_.cache_ttl * factor(random));
}

void Authenticator::count(const Verdict& verdict) {
  ++(verdict.kind == Verdict::Kind::admitted ? counters_.admitted : counters_.refused);
}

void Authenticator::report_unavailable(const Failure& failure) {
  const std::int64_t now = std::chrono::floor<std::chrono::seconds>(clock_.now().time_since_epoch()).count();
  std::int64_t last = last_report_.load();
  // One line now and then: every request would bring one.
  if (now - last < kReportEverySeconds && last != 0) return;
  if (last_report_.compare_exchange_strong(last, now)) {
    log::warn("system_look_up_failed", {{"kind", to_string(failure.kind)}, {"error", failure.message}});
  }
}

void Authenticator::invalidate(std::string_view key_or_id) {
  cache_.invalidate(key_or_id);
}

void Authenticator::clear() {
  cache_.clear();
}

}  // namespace collect::systems
