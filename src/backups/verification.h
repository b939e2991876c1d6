// SPDX-License-Identifier: Apache-2.0
// Whether a stored backup is still what came in.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "backups/backup.h"
#include "backups/object_store.h"

namespace collect::backups {

struct Verified {
  Backup backup;
  std::string found_sha256;  // of the bytes that are there
  std::uint64_t found_size = 0;

  [[nodiscard]] bool whole() const { return found_sha256 == backup.sha256 && found_size == backup.size; }
};

// Reads all of it, giving each piece to `take` on the way (which may fail). `not_found`: no backup under that
// key.
Result<Verified> read_and_verify(ObjectStore& objects, std::string_view key,
                                 const std::function<Result<void>(std::string_view)>& take = {});

}  // namespace collect::backups
