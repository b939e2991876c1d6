// SPDX-License-Identifier: Apache-2.0
// How one process tells the others that what they remember about a system no longer holds.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace collect::systems {

// The Redis channel: "my:auth:invalidate:<APP_ENV>".
std::string revocation_channel(std::string_view app_env);

// What is published there: the system_key; with an INTERNAL_HMAC_SECRET (not empty)
// "system_key|hex(hmac_sha256(secret, system_key))".
std::string revocation_payload(std::string_view system_key, std::string_view hmac_secret);

// The system_key of a payload. `invalid` when the secret is set and the payload's mac is missing or wrong, or
// when it is no key at all; the message is safe to log. Without a secret a mac is not looked at: forgetting
// too much harms nobody.
Result<std::string> revoked_key(std::string_view payload, std::string_view hmac_secret);

// Notices changes to systems by SystemStore::revision(): how the embedded engine, which has no channel,
// learns of an operator's change in another process. Call poll() twice a second (base/ticker.h).
class RevocationWatch {
 public:
  // `changed` is called whenever the revision is another one than before, and at the first reading.
  RevocationWatch(std::function<Result<std::int64_t>()> revision, std::function<void()> changed);
  // Safe to call from any thread. A revision that cannot be read changes nothing: while the store is away
  // nobody can be revoked in it, and those who are remembered may go on.
  void poll();

 private:
  const std::function<Result<std::int64_t>()> revision_;
  const std::function<void()> changed_;
  std::mutex mutex_;
  std::optional<std::int64_t> seen_;  // guarded by mutex_
  bool failing_ = false;              // guarded by mutex_
};

}  // namespace collect::systems
