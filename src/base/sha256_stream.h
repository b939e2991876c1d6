// SPDX-License-Identifier: Apache-2.0
// SHA-256 of bytes that come piece by piece.
#pragma once

#include <memory>
#include <string_view>

#include "base/hash.h"

namespace collect {

// For one thread at a time.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;

  void add(std::string_view bytes);
  // Of all that was added; the next add() begins anew.
  Sha256 finish();

 private:
  void begin();

  struct Context;
  const std::unique_ptr<Context> context_;
};

}  // namespace collect
