// SPDX-License-Identifier: Apache-2.0
// A system that reports one step after the other while the test does something to the service.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "journey/appliance.h"

namespace collect::test {

// Starts at once. Each body is posted until it is accepted, then comes a pause of up to `most_pause`. `doors`
// as Appliance has them.
class Reporter {
 public:
  using Body = std::function<std::string(std::size_t step)>;

  Reporter(const Service& service, Login login, std::uint64_t seed, Body body, milliseconds most_pause,
           const std::vector<int>& doors = {});

  void finish();
  // Once it is finished: what went wrong, or "".
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] const std::vector<std::string>& receipts() const { return receipts_; }
  Appliance& appliance() { return appliance_; }
  [[nodiscard]] const Appliance& appliance() const { return appliance_; }

 private:
  void work(const std::stop_token& stop);

  Appliance appliance_;
  const Body body_;
  const milliseconds most_pause_;
  std::mt19937_64 random_;
  std::vector<std::string> receipts_;
  std::string problem_;
  std::jthread thread_;  // last: it uses the others
};

// The number that the environment gives, else another.
int number_given(const char* name, int otherwise);

}  // namespace collect::test
