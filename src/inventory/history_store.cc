// SPDX-License-Identifier: Apache-2.0
#include "inventory/history_store.h"

#include <algorithm>
#include <utility>

namespace collect::inventory {

DiffEnd end_of(const DiffFilter& filter, std::optional<Time> before_at) {
  // Ids begin at 1, so nothing that was made at `to` comes before (to, 0).
  std::pair<Time, DiffId> end{filter.to.value_or(kLastTime), DiffId{0}};
  if (filter.before && before_at) end = std::min(end, {*before_at, *filter.before});
  return {end.first, end.second};
}

}  // namespace collect::inventory
