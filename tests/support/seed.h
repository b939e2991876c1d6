// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>

namespace collect::test {

// COLLECT_TEST_SEED, else by chance; printed, so that a failure can be repeated.
inline std::uint64_t test_seed() {
  const char* given = std::getenv("COLLECT_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "COLLECT_TEST_SEED=" << seed << '\n';
  return seed;
}

}  // namespace collect::test
