// SPDX-License-Identifier: Apache-2.0
// Receipts are message ids that tell their own age and owner, so that accepting an inventory needs no extra
// row: a UUIDv7 (RFC 9562) whose last 32 bits are the start of SHA-256("receipt" || its first 12 bytes ||
// system id). That is no secret: it only tells "this was ours, nothing became of it yet" from "never seen".
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"

namespace collect::inventory {

MessageId new_receipt(const SystemId& system_id, Time now);

// When it was issued to this system, in milliseconds; nullopt: it was not.
std::optional<Time> receipt_time(std::string_view receipt, const SystemId& system_id);

}  // namespace collect::inventory
