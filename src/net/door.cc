// SPDX-License-Identifier: Apache-2.0
#include "net/door.h"

#include <fmt/format.h>

#include <utility>

#include "base/ids.h"

namespace collect::net {

Door::Door(ServerOptions chosen, const Router& routes, Pool& workers, const Clock& time)
    : options(std::move(chosen)), router(routes), pool(workers), clock(time), id_prefix_(random_hex(3)) {}

std::string Door::next_request_id() {
  return fmt::format("{}-{:08x}", id_prefix_, ++last_id_);
}

bool Door::hold(std::uint64_t bytes) {
  if (counters.body_bytes_held.fetch_add(bytes) + bytes <= options.max_body_bytes_held) return true;
  counters.body_bytes_held -= bytes;
  return false;
}

void Door::release(std::uint64_t bytes) {
  counters.body_bytes_held -= bytes;
}

bool Door::hold_answer(std::uint64_t bytes) {
  const std::uint64_t before = counters.answer_bytes_held.fetch_add(bytes);
  if (before == 0 || before + bytes <= options.max_answer_bytes_held) return true;
  counters.answer_bytes_held -= bytes;
  return false;
}

void Door::release_answer(std::uint64_t bytes) {
  counters.answer_bytes_held -= bytes;
}

}  // namespace collect::net
