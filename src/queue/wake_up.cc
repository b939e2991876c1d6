// SPDX-License-Identifier: Apache-2.0
#include "queue/wake_up.h"

namespace collect::queue {

void WakeUp::ring(Stage stage) {
  Bell& mine = bell(stage);
  {
    const std::lock_guard lock(mine.mutex);
    mine.pending = true;
  }
  mine.rung.notify_one();
}

void WakeUp::wait(Stage stage, Duration most, const std::stop_token& stop) {
  Bell& mine = bell(stage);
  std::unique_lock lock(mine.mutex);
  mine.rung.wait_for(lock, stop, most, [&mine] { return mine.pending; });
  mine.pending = false;
}

}  // namespace collect::queue
