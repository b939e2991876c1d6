// SPDX-License-Identifier: Apache-2.0
// Content-Encoding of request bodies: identity or gzip (RFC 1952).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace collect::net {

enum class Decoding { done, unsupported, too_large, broken };

struct Decoded {
  Decoding state = Decoding::done;
  std::string body;
};

// Takes the body out of `encoding` (a Content-Encoding value; empty and "identity" leave it as it is, "gzip"
// and "x-gzip" inflate it). Stops as soon as more than `max_bytes` have come out, so that a small body cannot
// grow without bound. `broken`: not gzip, cut short, or followed by something else.
Decoded decode_body(std::string body, std::string_view encoding, std::uint64_t max_bytes);

}  // namespace collect::net
