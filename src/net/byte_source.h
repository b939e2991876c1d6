// SPDX-License-Identifier: Apache-2.0
// Bytes that are pulled, a piece at a time: bodies too large to be held.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"

namespace collect::net {

// For one thread at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Blocks until there are some bytes and puts them into `into` (not empty): how many, 0 at the end. After a
  // failure nothing more comes.
  virtual Result<std::size_t> read(std::span<char> into) = 0;
};

}  // namespace collect::net
