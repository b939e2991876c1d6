// SPDX-License-Identifier: Apache-2.0
#include "journey/reporter.h"

#include <chrono>
#include <cstdlib>

namespace collect::test {
namespace {

// For one body, through kills and restarts.
constexpr auto kPatience = std::chrono::minutes(5);

}  // namespace

Reporter::Reporter(const Service& service, Login login, std::uint64_t seed, Body body,
                   milliseconds most_pause, const std::vector<int>& doors)
    : appliance_(service, std::move(login), doors),
      body_(std::move(body)),
      most_pause_(most_pause),
      random_(seed),
      thread_([this](const std::stop_token& stop) { work(stop); }) {}

void Reporter::finish() {
  thread_.request_stop();
  thread_.join();
}

void Reporter::work(const std::stop_token& stop) try {
  while (!stop.stop_requested()) {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    receipts_.push_back(appliance_.insist(body_(receipts_.size()), give_up));
    sleep_for(
        milliseconds(std::uniform_int_distribution<milliseconds::rep>(0, most_pause_.count())(random_)));
  }
} catch (const std::exception& error) {
  problem_ = error.what();
}

int number_given(const char* name, int otherwise) {
  const char* given = std::getenv(name);
  return given != nullptr ? std::atoi(given) : otherwise;
}

}  // namespace collect::test
