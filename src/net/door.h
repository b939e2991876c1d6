// SPDX-License-Identifier: Apache-2.0
// What all connections of one server share. Internal to the net room.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/pool.h"
#include "net/counters.h"
#include "net/router.h"
#include "net/server.h"

namespace collect::net {

struct Door {
  Door(ServerOptions chosen, const Router& routes, Pool& workers, const Clock& time);

  // Short enough for std::string to hold it without an allocation: "1f4a2c-0000002b".
  std::string next_request_id();

  // Promises memory for a body; false: too much is promised already. What was held is given back by
  // release().
  bool hold(std::uint64_t bytes);
  void release(std::uint64_t bytes);
  // The same for an answer.
  bool hold_answer(std::uint64_t bytes);
  void release_answer(std::uint64_t bytes);

  const ServerOptions options;
  const Router& router;
  Pool& pool;
  const Clock& clock;
  ServerCounters counters;
  std::atomic<bool> draining{false};
  std::atomic<int> jobs{0};  // handed to the pool and not back yet

 private:
  const std::string id_prefix_;
  std::atomic<std::uint32_t> last_id_{0};
};

}  // namespace collect::net
