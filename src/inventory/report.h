// SPDX-License-Identifier: Apache-2.0
// What a sender posted, checked: everything that would be refused later is refused here, before the 202.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace collect::inventory {

struct Report {
  std::string_view document;        // the JSON object to store, as received; points into the body
  std::optional<Time> sender_time;  // of an envelope
};

// Accepts a raw inventory (any JSON object) or the envelope {"system_id", "timestamp", "data": {…}}: an
// object with no other keys and an object as "data". `invalid` says what is wrong and where.
Result<Report> read_report(std::string_view body);

}  // namespace collect::inventory
