// SPDX-License-Identifier: Apache-2.0
#include "backend/redis/scripts.h"

#include <openssl/evp.h>

#include <array>
#include <span>

#include "base/hash.h"

namespace collect::redis {
namespace {

std::string sha1_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  return to_hex(std::span<const unsigned char>(digest.data(), size));
}

constexpr std::string_view kWaiting = R"lua(#!lua flags=allow-oom,no-writes
return redis.call('LLEN', KEYS[1]) + redis.call('ZCARD', KEYS[2])
)lua";

// system_of() has to find what queue::system_of() finds.
constexpr std::string_view kClaim = R"lua(#!lua flags=allow-oom
local ready, leases, fence, busy, own = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local worker, token, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
local most, most_bytes, prefix = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function system_of(text)
  local _, stop = string.find(text, '"system_id"', 1, true)
  if not stop then return '' end
  return string.match(text, '^ *: *"([^"]*)"', stop + 1) or ''
end

local function hold(how)
  redis.call('HSET', fence, worker, how .. token)
  redis.call('ZADD', leases, string.format('%.0f', now + lease), worker)
end

local function held(how)
  local texts = redis.call('LRANGE', own, 0, -1)
  local answer = {how}
  for i = #texts, 1, -1 do answer[#answer + 1] = texts[i] end
  hold(how)
  return answer
end

if redis.call('EXISTS', own) == 1 then
  local how = redis.call('HGET', fence, worker)
  return held(how and string.sub(how, 1, 1) or 'A')
end

for _, other in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', string.format('%.0f', now))) do
  redis.call('ZREM', leases, other)
  redis.call('HDEL', fence, other)
  if redis.call('EXISTS', prefix .. other) == 1 then
    redis.call('RENAME', prefix .. other, own)
    local answer = held('A')
    for i = 2, #answer do
      local system = system_of(answer[i])
      if system ~= '' then redis.call('HSET', busy, system, worker) end
    end
    return answer
  end
end

-- Each text passes through here once, which is most of what a claim costs: it is moved before it is looked at,
-- and moved back when it has to wait. Keys of another type fail before the first move.
redis.call('HLEN', busy)
local answer, bytes, ours = {'F'}, 0, {}
local function is_busy_elsewhere(system)
  local owner = redis.call('HGET', busy, system)
  return owner and owner ~= worker and redis.call('ZSCORE', leases, owner)
end
while #answer <= most do
  local text = redis.call('LMOVE', ready, own, 'RIGHT', 'LEFT')
  if not text then break end
  local system = system_of(text)
  local unseen = system ~= '' and not ours[system]
  if (#answer > 1 and bytes + #text > most_bytes) or (unseen and is_busy_elsewhere(system)) then
    redis.call('LMOVE', own, ready, 'LEFT', 'RIGHT')
    break
  end
  if unseen then
    redis.call('HSET', busy, system, worker)
    ours[system] = true
  end
  bytes = bytes + #text
  answer[#answer + 1] = text
end
if #answer == 1 then return {} end
hold('F')
return answer
)lua";

constexpr std::string_view kRenew = R"lua(#!lua flags=allow-oom
local how = redis.call('HGET', KEYS[2], ARGV[1])
if not how or string.sub(how, 2) ~= ARGV[2] then return 0 end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[3]), ARGV[1])
return 1
)lua";

// A script that fails half-way leaves what it wrote. A key of another type is the way to fail here, so each
// is asked for its length before the first write; and the claim goes last.
constexpr std::string_view kSettle = R"lua(#!lua flags=allow-oom
local leases, fence, busy, own, ready, delayed, dead = unpack(KEYS, 1, 7)
local worker, token = ARGV[1], ARGV[2]
local how = redis.call('HGET', fence, worker)
if not how or string.sub(how, 2) ~= token or redis.call('LLEN', own) == 0 then return 0 end
redis.call('ZCARD', leases)
redis.call('HLEN', busy)
redis.call('ZCARD', delayed)
redis.call('LLEN', dead)
redis.call('LLEN', ready)
for i = 8, #KEYS do redis.call('LLEN', KEYS[i]) end

local at = 3
local function next_argument()
  at = at + 1
  return ARGV[at - 1]
end
for _ = 1, tonumber(next_argument()) do redis.call('RPUSH', ready, next_argument()) end
for _ = 1, tonumber(next_argument()) do redis.call('LPUSH', dead, next_argument()) end
for _ = 1, tonumber(next_argument()) do
  local score = next_argument()
  redis.call('ZADD', delayed, score, next_argument())
end
for _ = 1, tonumber(next_argument()) do
  local key = KEYS[tonumber(next_argument())]
  redis.call('LPUSH', key, next_argument())
end
for _ = 1, tonumber(next_argument()) do
  local system = next_argument()
  if redis.call('HGET', busy, system) == worker then redis.call('HDEL', busy, system) end
end
redis.call('HDEL', fence, worker)
redis.call('ZREM', leases, worker)
redis.call('UNLINK', own)
return 1
)lua";

constexpr std::string_view kPromote = R"lua(#!lua flags=allow-oom
local clock = redis.call('TIME')
local now = string.format('%s.%06d', clock[1], tonumber(clock[2]))
redis.call('LLEN', KEYS[1])
local moved, bytes = 0, 0
while moved < 1000 and bytes < 16777216 do
  local due = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 10)
  if #due == 0 then break end
  for _, text in ipairs(due) do
    redis.call('LPUSH', KEYS[1], text)
    redis.call('ZREM', KEYS[2], text)
    moved, bytes = moved + 1, bytes + #text
  end
end
return moved
)lua";

constexpr std::string_view kEndLeases = R"lua(#!lua flags=allow-oom
for _, worker in ipairs(ARGV) do redis.call('ZADD', KEYS[1], 'XX', 0, worker) end
return 1
)lua";

constexpr std::string_view kStrike = R"lua(#!lua flags=allow-oom
local count, attempt = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '0', '^(%d+) ?(.*)$')
count = tonumber(count)
if attempt == ARGV[2] then return count end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d %s', count + 1, ARGV[2]))
return count + 1
)lua";

constexpr std::string_view kTakeDead = R"lua(#!lua flags=allow-oom
redis.call('LLEN', KEYS[2])
if redis.call('LREM', KEYS[1], -1, ARGV[1]) == 0 then return 0 end
if ARGV[2] then redis.call('LPUSH', KEYS[2], ARGV[2]) end
return 1
)lua";

constexpr std::string_view kDepth = R"lua(#!lua flags=allow-oom,no-writes
local claimed = 0
for _, worker in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1)) do
  claimed = claimed + redis.call('LLEN', ARGV[1] .. worker)
end
return {redis.call('LLEN', KEYS[1]), claimed, redis.call('ZCARD', KEYS[2]), redis.call('LLEN', KEYS[3]),
        redis.call('LINDEX', KEYS[1], -1)}
)lua";

}  // namespace

Script::Script(std::string_view source) : text(source), sha(sha1_hex(source)) {}

namespace scripts {

const Script& waiting() {
  static const Script script(kWaiting);
  return script;
}
const Script& claim() {
  static const Script script(kClaim);
  return script;
}
const Script& renew() {
  static const Script script(kRenew);
  return script;
}
const Script& settle() {
  static const Script script(kSettle);
  return script;
}
const Script& promote() {
  static const Script script(kPromote);
  return script;
}
const Script& end_leases() {
  static const Script script(kEndLeases);
  return script;
}
const Script& strike() {
  static const Script script(kStrike);
  return script;
}
const Script& take_dead() {
  static const Script script(kTakeDead);
  return script;
}
const Script& depth() {
  static const Script script(kDepth);
  return script;
}

}  // namespace scripts
}  // namespace collect::redis
