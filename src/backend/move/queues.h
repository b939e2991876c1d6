// SPDX-License-Identifier: Apache-2.0
// The queues of an embedded instance that nobody serves, as they are moved to Redis.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "backend/redis/redis_queue.h"
#include "backend/sqlite/database.h"
#include "queue/queue.h"

namespace collect::backend {

struct QueuePart {
  queue::Stage stage;
  queue::Part part;
};
// Dead letters first, so that nothing is worked on before they are there.
std::vector<QueuePart> queue_parts();
std::string name_of(const QueuePart& part);

// What was claimed when the last process ended is ready again, first in line. Throw Fault.
std::uint64_t count_messages(sqlite::Snapshot& source, const QueuePart& part);
// From the `from`th on (0 is the first in line, or the oldest dead letter), some hundred or some megabytes;
// none: the end. `due` counts for delayed ones only.
std::vector<queue::Delayed> read_messages(sqlite::Snapshot& source, const QueuePart& part,
                                          std::uint64_t from);

}  // namespace collect::backend
