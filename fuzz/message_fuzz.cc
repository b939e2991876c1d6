// SPDX-License-Identifier: Apache-2.0
// queue/message: texts that anybody may have pushed into a queue.
#include "base/json.h"
#include "fuzz/fuzz.h"
#include "queue/message.h"

namespace collect::fuzz {
namespace {

using queue::Message;

constexpr Time kNow{std::chrono::seconds(1'770'000'000)};

void hold_same(const Message& a, const Message& b) {
  hold(a.id == b.id && a.type == b.type && a.system_id == b.system_id && a.data == b.data &&
           a.attempts == b.attempts && a.max_attempts == b.max_attempts && a.created_at == b.created_at &&
           a.processed_at == b.processed_at && a.error == b.error,
       "a message that is written is read as the same");
}

void hold_dead_letter(std::string_view input) {
  const std::string letter = queue::dead_letter(input, queue::Stage::inventory, input, kNow);
  const auto read = queue::decode(letter, 3);
  hold(read.ok(), "a dead letter is a message");
  hold(read->attempts == 1 && read->error.has_value(), "a dead letter has its reason");
  hold(queue::revived(letter) == input, "a dead letter keeps its bytes");
}

}  // namespace

void run(std::string_view input) {
  const std::string_view system = queue::system_of(input);
  hold(system.empty() ||
           (system.data() >= input.data() && system.data() + system.size() <= input.data() + input.size()),
       "a system is found within the text");
  hold_dead_letter(input);
  const auto message = queue::decode(input, 3);
  if (!message) {
    hold(message.failure().kind == FailureKind::invalid, "what cannot be read is the message's fault");
    hold(queue::revived(input) == input, "what cannot be read is revived as it is");
    return;
  }
  hold(is_uuid(message->id.text()), "a message has an id");
  hold(message->attempts >= 0 && message->max_attempts > 0, "attempts are counted");
  hold(message->data.starts_with('{'), "a message has an object");
  const std::string written = queue::encode(*message);
  const auto again = queue::decode(written, 3);
  hold(again.ok(), "a message that was read can be written");
  hold_same(*message, *again);
  // What the system's order is kept by, unless it has to be unescaped.
  if (message->system_id.text().find_first_of("\\\"") == std::string::npos &&
      json::quote(message->system_id.text()).size() == message->system_id.text().size() + 2) {
    hold(queue::system_of(written) == message->system_id.text(), "a written message is found by its system");
  }
  const auto failed = queue::decode(queue::encode(queue::after_failure(*message, input, kNow)), 3);
  hold(failed.ok() && failed->attempts > 0 && failed->attempts >= message->attempts &&
           failed->data == message->data,
       "a failure counts, and loses nothing");
}

}  // namespace collect::fuzz
