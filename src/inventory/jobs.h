// SPDX-License-Identifier: Apache-2.0
// The messages by which one stage hands work to the next.
#pragma once

#include "base/clock.h"
#include "base/ids.h"
#include "queue/queue.h"

namespace collect::inventory {

// Have a system's pending records compared: data is {}.
queue::Onward comparison_job(const SystemId& system_id, int max_attempts, Time now);
// Have a record's changes told: data is {"record_id": n}.
queue::Onward notification_job(const SystemId& system_id, RecordId record_id, int max_attempts, Time now);

}  // namespace collect::inventory
