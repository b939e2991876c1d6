// SPDX-License-Identifier: Apache-2.0
#include "app/demo_screen.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "app/terminal.h"

namespace collect::app {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kBar = 40;  // characters
constexpr auto kPlainEvery = 5s;

std::string minutes(std::chrono::milliseconds time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).count();
  return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
}

std::string bar(const DemoState& state) {
  const auto full = std::clamp<std::int64_t>(
      kBar * state.passed.count() / std::max<std::int64_t>(state.all.count(), 1), 0, kBar);
  std::string done, left;
  for (std::int64_t i = 0; i < kBar; ++i) (i < full ? done : left) += i < full ? "█" : "░";
  return coloured(done, Colour::green) + coloured(left, Colour::dim);
}

std::size_t columns() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 80;
  return size.ws_col;
}

}  // namespace

DemoScreen::DemoScreen(bool silent) : silent_(silent), terminal_(isatty(STDOUT_FILENO) == 1) {}

void DemoScreen::show(const DemoState& state) {
  if (silent_) return;
  if (terminal_) return draw(state);
  if (state.passed < told_ + kPlainEvery) return;
  told_ = state.passed;
  tell(state);
}

void DemoScreen::finish(const DemoState& state) {
  if (silent_) return;
  if (terminal_) return draw(state);
  tell(state);
}

void DemoScreen::draw(const DemoState& state) {
  std::string out;
  // What is too long for the window would wrap, and the way back up would be wrong.
  const auto width = columns() - 1;
  const auto add = [&](const std::string& line) {
    out += "\r\033[K" + line + "\n";
    ++drawn_;
  };
  if (drawn_ > 0) out += fmt::format("\033[{}A", drawn_);
  drawn_ = 0;
  add(fmt::format("  {}  {} of {}", bar(state), minutes(state.passed), minutes(state.all)));
  add(shortened(fmt::format("  reports    {} accepted, {} stored, {} compared", state.accepted, state.stored,
                            state.compared),
                width));
  add(shortened(fmt::format("  changes    {} found; events so far: {}", state.changes, state.events), width));
  add(shortened(fmt::format("  heartbeats {}", state.heartbeats), width));
  add(shortened("  latest     " + state.latest, width));
  fmt::print("{}", out);
  std::fflush(stdout);
}

void DemoScreen::tell(const DemoState& state) {
  fmt::print("  {}  {} accepted, {} stored, {} compared, {} changes found{}{}\n", minutes(state.passed),
             state.accepted, state.stored, state.compared, state.changes,
             state.latest.empty() ? "" : "; latest: ", state.latest);
  std::fflush(stdout);
}

}  // namespace collect::app
