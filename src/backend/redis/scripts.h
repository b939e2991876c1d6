// SPDX-License-Identifier: Apache-2.0
// The queue's steps as Lua scripts, each atomic in Redis. Keys and arguments are described at each one. Where
// a worker's fence is spoken of: a hash worker -> how it came to its claim ("F" took fresh, "A" adopted) and
// a token that each claim() call makes anew, so that a command that was held up on its way never touches a
// later claim.
#pragma once

#include <string>
#include <string_view>

namespace collect::redis {

struct Script {
  explicit Script(std::string_view source);
  std::string_view text;
  std::string sha;  // SHA-1 in hex, the name under which Redis keeps it
};

namespace scripts {

// KEYS ready, delayed -> how many messages wait
const Script& waiting();
// KEYS ready, leases, fence, busy, own claim; ARGV worker, token, lease in ms, most texts, most bytes, prefix
// of claims
//   -> {} or {"F" or "A", text…}, oldest first
const Script& claim();
// KEYS leases, fence; ARGV worker, token, lease in ms -> 1, or 0 when the lease is lost
const Script& renew();
// KEYS leases, fence, busy, own claim, ready, delayed, dead, then other stages' ready; ARGV worker, token,
// then four lists, each with its length before it: texts to give back (last one first), dead texts, (score,
// text) delayed, (index of KEYS, text) onward, and the claim's systems -> 1, or 0 when the lease is lost
const Script& settle();
// KEYS ready, delayed -> how many were moved; a bounded number, call again until 0
const Script& promote();
// KEYS leases; ARGV worker… -> 1
const Script& end_leases();
// KEYS strikes; ARGV field, attempt -> count
const Script& strike();
// KEYS ready, delayed, dead, leases; ARGV prefix of claims -> {ready, claimed, delayed, dead, next text or
// nil}
const Script& take_dead();
const Script& depth();

}  // namespace scripts
}  // namespace collect::redis
