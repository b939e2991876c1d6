// SPDX-License-Identifier: Apache-2.0
// Random numbers that are the same everywhere for the same seed: SplitMix64 (Steele, Lea, Flood 2014). The
// standard's distributions differ between libraries, so ranges are drawn here. For one thread; never for
// secrets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace collect::fleet {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t roll() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  // lowest <= result <= highest.
  std::int64_t between(std::int64_t lowest, std::int64_t highest) {
    const auto span = static_cast<std::uint64_t>(highest - lowest) + 1;
    return lowest + static_cast<std::int64_t>(roll() % span);
  }
  // 0 <= result < size.
  std::size_t index(std::size_t size) { return static_cast<std::size_t>(roll() % size); }
  bool chance(double probability) { return static_cast<double>(roll() >> 11U) * 0x1p-53 < probability; }
  template <class List>
  auto& pick(List& list) {
    return list[index(std::size(list))];
  }
  template <class List>
  void shuffle(List& list) {
    for (auto left = list.size(); left > 1; --left) std::swap(list[left - 1], list[index(left)]);
  }

 private:
  std::uint64_t state_;
};

}  // namespace collect::fleet
