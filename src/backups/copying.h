// SPDX-License-Identifier: Apache-2.0
// All objects of one store brought to another, under the same keys and with the same metadata.
#pragma once

#include <cstdint>
#include <functional>

#include "backups/object_store.h"

namespace collect::backups {

struct Copied {
  std::uint64_t objects = 0;  // that are there now
  std::uint64_t bytes = 0;
  std::uint64_t already = 0;  // of these: were there before
};

// `done` of `total` objects.
using TellCopied = std::function<void(std::uint64_t done, std::uint64_t total)>;

// What is there with the same size and checksum is passed by, so a call that was broken off is made again. An
// object that came without a checksum gets one; one whose checksum does not hold is copied with it, for
// `collect backups verify` to find.
Result<Copied> copy_objects(ObjectStore& from, ObjectStore& to, const TellCopied& tell);

}  // namespace collect::backups
