// SPDX-License-Identifier: Apache-2.0
// A queue message: the JSON text that lies in the queues, and what it says.
//   {"id": uuid, "type": "inventory|processing|notification", "system_id", "data": {…}, "attempts",
//   "max_attempts",
//    "created_at", "processed_at", "error"}
// Other programs push and read this form too, so nothing but `data` is required when reading.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"

namespace collect::queue {

enum class Stage { inventory, processing, notification };
inline constexpr Stage kStages[] = {Stage::inventory, Stage::processing, Stage::notification};
std::string_view to_string(Stage stage);  // as in "type"

struct Message {
  MessageId id;
  Stage type = Stage::inventory;
  SystemId system_id;
  std::string data;  // JSON text, exactly as it came
  int attempts = 0;  // that failed for the message's own fault
  int max_attempts = 3;
  Time created_at{};
  std::optional<Time> processed_at;  // of the last attempt
  std::optional<std::string> error;  // one line an attempt: "attempt 1 at <time>: <reason>"
};

// One line of JSON. "system_id" stands before "data", see system_of().
std::string encode(const Message& message);

// Texts may come from anyone: what this accepts went through json::check(), the innermost "data" counted as a
// document of its own. `invalid` says what is missing or wrong. Missing attempts count as 0, max_attempts as
// `default_max_attempts`; a missing id is derived from the text itself, so that a redelivery has the same
// one.
Result<Message> decode(std::string_view text, int default_max_attempts);

// The value of the first "system_id" in the text, found without parsing; empty when there is none. Queues use
// it to keep one system's messages in order; Redis does the same search in Lua, so it must stay this simple:
// the bytes between the quotes after `"system_id"`, optional spaces, `:`, optional spaces.
std::string_view system_of(std::string_view text);

// The message after one more failed attempt, with `reason` added to its errors.
Message after_failure(Message message, std::string_view reason, Time now);

// A dead letter for a text that cannot be read as a message: keeps its bytes and the reason.
std::string dead_letter(std::string_view text, Stage stage, std::string_view reason, Time now);

// What to put in line so that a dead letter is handled once more: the message with no attempts and its errors
// kept; of dead_letter()'s, the bytes as they were.
std::string revived(std::string_view dead_letter);

}  // namespace collect::queue
