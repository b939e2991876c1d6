// SPDX-License-Identifier: Apache-2.0
// What an examination says about one thing that Collect depends on.
#pragma once

#include <cstdint>
#include <string>

namespace collect::backend {

enum class State : std::uint8_t {
  ok,
  warning,  // works, and a promise is weaker than it could be, or will be
  failure,  // does not work
};

struct Finding {
  std::string subject;  // "database", "Redis", …
  State state = State::ok;
  std::string found;   // one sentence without its full stop
  std::string advice;  // what to do; empty where all is well
};

}  // namespace collect::backend
