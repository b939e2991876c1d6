// SPDX-License-Identifier: Apache-2.0
// point() of the program that tests are run with. COLLECT_CRASH_AT=inventory.after_claim:3 kills the process
// (kill -9) as it comes there for the third time, COLLECT_HANG_AT stops it (SIGSTOP), and
// COLLECT_CRASH_ON=text kills it each time that it is about to read a message with that text.
// COLLECT_STALL_AT=one,another holds up the thread that comes there, and no other, as long as the file
// COLLECT_STALL_WHILE is there; both it and its going on are told on standard error.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <sstream>
#include <string>
#include <thread>

#include "base/point.h"

namespace collect {
namespace {

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// "place:3", and without a number the first time.
class Moment {
 public:
  explicit Moment(const std::string& text) : place_(text.substr(0, text.find(':'))) {
    if (const auto colon = text.find(':'); colon != std::string::npos)
      left_ = std::stoi(text.substr(colon + 1));
  }
  bool is_now(std::string_view where, std::string_view moment) {
    const auto dot = where.size();
    const std::string_view place = place_;
    if (place.size() != dot + 1 + moment.size() || !place.starts_with(where) || !place.ends_with(moment))
      return false;
    return --left_ == 0;
  }

 private:
  const std::string place_;
  std::atomic<int> left_ = 1;
};

std::deque<Moment> moments(const std::string& text) {
  std::deque<Moment> all;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) all.emplace_back(part);
  return all;
}

void tell(const std::string& line) {
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) return;
}

void stall_thread(const std::string& place) {
  static const std::string kWhile = setting("COLLECT_STALL_WHILE");
  tell("stalled at " + place + "\n");
  while (access(kWhile.c_str(), F_OK) == 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  tell("going on at " + place + "\n");
}

}  // namespace

void point(std::string_view where, std::string_view moment, std::string_view text) {
  static Moment crash(setting("COLLECT_CRASH_AT"));
  static Moment hang(setting("COLLECT_HANG_AT"));
  static std::deque<Moment> stalls = moments(setting("COLLECT_STALL_AT"));
  static const std::string kDeadly = setting("COLLECT_CRASH_ON");
  // To this thread: to the process it would be another thread that takes it, and this one would go on a
  // while.
  if (hang.is_now(where, moment)) raise(SIGSTOP);
  for (Moment& stall : stalls) {
    if (stall.is_now(where, moment)) stall_thread(std::string(where) + "." + std::string(moment));
  }
  if (crash.is_now(where, moment) || (!kDeadly.empty() && text.find(kDeadly) != std::string_view::npos)) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }
}

}  // namespace collect
