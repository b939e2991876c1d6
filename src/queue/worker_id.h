// SPDX-License-Identifier: Apache-2.0
// Who holds a claim: host, process, boot and thread, as text "host:pid:boot id:thread".
#pragma once

#include <string>
#include <string_view>

namespace collect::queue {

struct WorkerId {
  std::string text;
  auto operator<=>(const WorkerId&) const = default;
};

// `thread` names the worker within this process, for example "inventory-0"; no colons.
WorkerId this_worker(std::string_view thread);

// True when the worker belonged to a process of this host and boot that no longer runs. False when in doubt.
bool is_gone(std::string_view worker);

}  // namespace collect::queue
