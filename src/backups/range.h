// SPDX-License-Identifier: Apache-2.0
// Which part of a backup a download asks for (RFC 9110 section 14.2).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "backups/object_store.h"

namespace collect::backups {

struct RangeAsked {
  enum class Kind { whole, part, unsatisfiable } kind = Kind::whole;
  ByteRange part{};  // of kind part
};

// `range`: the header's value, empty where there is none, for an object of `size` bytes. What is no single
// range of bytes counts as not asked for, as the RFC allows.
RangeAsked read_range(std::string_view range, std::uint64_t size);

}  // namespace collect::backups
