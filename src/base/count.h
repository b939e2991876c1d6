// SPDX-License-Identifier: Apache-2.0
// How many there are, as far as anybody looks: counting all rows of a large table takes as long as reading
// it.
#pragma once

#include <algorithm>
#include <cstdint>

namespace collect {

// How far counts look: the newest so many.
inline constexpr std::int64_t kCounted = 10'000;

struct Count {
  std::int64_t count = 0;
  bool exact = true;  // false: there is more to look at than was looked at
};

// Of `found` among `looked` rows, where one more than `most` was asked for.
constexpr Count counted(std::int64_t found, std::int64_t looked, std::int64_t most = kCounted) {
  return {std::min(found, most), looked <= most};
}

}  // namespace collect
