// SPDX-License-Identifier: Apache-2.0
// PORT. Records as a stock that is kept in order: taken out, and written in another form. What goes is
// decided elsewhere (src/retention); nothing of what stays is ever lost by it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/ids.h"
#include "base/result.h"

namespace collect::inventory {

// How far documents have been brought to the store's form (packing.h).
struct Conversion {
  std::optional<RecordId> reached;  // nullopt: not begun
  std::uint64_t converted = 0;
  std::uint64_t unreadable = 0;  // damaged ones, left as they are
  std::string damage;            // what is wrong with the first of them
  bool done = false;             // none is left beyond `reached`
};

class RecordStore {
 public:
  virtual ~RecordStore() = default;

  // Deletes these records of the system; those it does not have are passed by. Documents that are packed on
  // one of them are packed anew in the same transaction. Diffs stay and name the record no more. Returns how
  // many went.
  virtual Result<std::uint64_t> remove(const SystemId& system_id, std::span<const RecordId> records) = 0;

  // Writes some more documents in the form that this store gives to new ones, about `limit`, in one
  // transaction; all else of their records stays as it is. Go on with what it returns until that is done; it
  // may be begun anew at any time, also beside a running service.
  virtual Result<Conversion> convert(const Conversion& so_far, std::size_t limit) = 0;
};

}  // namespace collect::inventory
