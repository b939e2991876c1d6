// SPDX-License-Identifier: Apache-2.0
// Silences: as clients post them and as an Alertmanager shows them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alertmanager/matcher.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace collect::alertmanager {

inline constexpr std::size_t kMostMatchers = 100;

struct Silence {
  std::string id;  // a UUID in lower case; empty: a new one
  std::vector<Matcher> matchers;
  Time starts_at{};
  Time ends_at{};
  std::string created_by;
  std::string comment;
  // Only an Alertmanager's.
  std::optional<Time> updated_at;
  std::string state;  // expired, active, pending
};

// What a client posts, narrowed to `system_key`: its matchers on system_key are dropped, the exact one is
// added. `invalid`: a member is missing or of the wrong kind, no matcher is left of the client's own, a
// matcher is none, the end is not after the start or lies before `now`.
Result<Silence> read_posted_silence(const json::Value& root, std::string_view system_key, Time now);

// What an Alertmanager shows. `invalid`: that is no silence.
Result<Silence> read_silence(const json::Value& value, std::string_view where);

// Whether it can only concern that system: one of its matchers is system_key, equal and no regular
// expression, with exactly this value. All matchers of a silence have to match, so further ones only narrow
// it.
bool belongs_to(const Silence& silence, std::string_view system_key);

// As it is posted.
std::string to_posted_json(const Silence& silence);
// As it is shown.
void write_shown(json::Writer& w, const Silence& silence);

// Any UUID, in lower case; nothing when it is none.
std::optional<std::string> silence_id(std::string_view text);

}  // namespace collect::alertmanager
