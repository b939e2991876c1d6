// SPDX-License-Identifier: Apache-2.0
// Somewhere that notifications go to.
#pragma once

#include <string>

#include "alerts/alert.h"
#include "base/result.h"

namespace collect::alerts {

class Channel {
 public:
  virtual ~Channel() = default;
  // Blocks until the peer has taken it, bounded by the channel's own timeout; what the peer answered, for
  // people ("HTTP 204"). `unavailable`: the peer is away or busy, the same delivery comes again later.
  // `invalid`: the peer refused it and would again; it comes a few times more and is then given up. Called by
  // one thread at a time.
  virtual Result<std::string> send(const Delivery& delivery) = 0;
};

}  // namespace collect::alerts
