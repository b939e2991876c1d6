// SPDX-License-Identifier: Apache-2.0
// What `collect demo` shows while it runs: a few lines that change in place on a terminal, a line every five
// seconds elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace collect::app {

struct DemoState {
  std::chrono::milliseconds passed{};
  std::chrono::milliseconds all{};
  std::uint64_t accepted = 0;
  std::uint64_t stored = 0;
  std::uint64_t compared = 0;
  std::uint64_t heartbeats = 0;
  std::uint64_t events = 0;
  std::uint64_t changes = 0;
  std::string latest;
};

class DemoScreen {
 public:
  // `silent`: shows nothing at all (--json).
  explicit DemoScreen(bool silent);
  void show(const DemoState& state);
  // The last state stays on the screen.
  void finish(const DemoState& state);

 private:
  void draw(const DemoState& state);
  static void tell(const DemoState& state);

  const bool silent_;
  const bool terminal_;
  int drawn_ = 0;  // lines to go back up
  std::chrono::milliseconds told_{0};
};

}  // namespace collect::app
