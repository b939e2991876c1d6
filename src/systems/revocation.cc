// SPDX-License-Identifier: Apache-2.0
#include "systems/revocation.h"

#include <algorithm>

#include "base/hash.h"
#include "base/log.h"

namespace collect::systems {
namespace {

constexpr std::size_t kMaxKey = 255;

std::string mac_of(std::string_view system_key, std::string_view hmac_secret) {
  return to_hex(hmac_sha256(hmac_secret, system_key));
}

std::string lower(std::string_view hex) {
  std::string out(hex);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

std::string revocation_channel(std::string_view app_env) {
  return "my:auth:invalidate:" + std::string(app_env);
}

std::string revocation_payload(std::string_view system_key, std::string_view hmac_secret) {
  std::string payload(system_key);
  if (!hmac_secret.empty()) payload += "|" + mac_of(system_key, hmac_secret);
  return payload;
}

Result<std::string> revoked_key(std::string_view payload, std::string_view hmac_secret) {
  const std::size_t bar = payload.find('|');
  const std::string_view key = payload.substr(0, bar);
  const bool printable = std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (key.empty() || key.size() > kMaxKey || !printable) {
    return invalid("expected a system_key in a revocation, got " + std::to_string(key.size()) +
                   " bytes that are none");
  }
  if (!hmac_secret.empty()) {
    if (bar == std::string_view::npos) {
      return invalid("expected a revocation with a mac (INTERNAL_HMAC_SECRET is set), got one without");
    }
    if (!equal_constant_time(lower(payload.substr(bar + 1)), mac_of(key, hmac_secret))) {
      return invalid("a revocation's mac does not match INTERNAL_HMAC_SECRET");
    }
  }
  return std::string(key);
}

RevocationWatch::RevocationWatch(std::function<Result<std::int64_t>()> revision,
                                 std::function<void()> changed)
    : revision_(std::move(revision)), changed_(std::move(changed)) {}

void RevocationWatch::poll() {
  const std::lock_guard lock(mutex_);
  const Result<std::int64_t> revision = revision_();
  if (!revision) {
    if (!failing_) log::warn("revocation_watch_failed", {{"error", revision.failure().message}});
    failing_ = true;
    return;
  }
  if (failing_) log::info("revocation_watch_recovered");
  failing_ = false;
  if (seen_ == *revision) return;
  seen_ = *revision;
  changed_();
}

}  // namespace collect::systems
