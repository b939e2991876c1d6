// SPDX-License-Identifier: Apache-2.0
// queue/message and inventory/store_worker: texts that anybody may have pushed into a queue, and the
// inventories that are in them.
#include "base/hash.h"
#include "base/json.h"
#include "fuzz/fuzz.h"
#include "inventory/store_worker.h"
#include "queue/message.h"

namespace collect::fuzz {
namespace {

using inventory::Arrival;
using inventory::Recent;
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

void hold_same(const Arrival& a, const Arrival& b) {
  hold(a.message_id == b.message_id && a.system_id == b.system_id && a.received_at == b.received_at &&
           a.sender_time == b.sender_time && a.document == b.document && a.hash == b.hash,
       "an inventory is read as the same in the fast way and in the general one");
}

// The data as InventoryApi would have written it.
std::string usual_data(const Arrival& arrival) {
  std::string data = "{\"system_id\":" + json::quote(arrival.system_id.text()) + ",\"timestamp\":\"" +
                     to_rfc3339(arrival.received_at) + "\",";
  if (arrival.sender_time) data += "\"sender_timestamp\":\"" + to_rfc3339(*arrival.sender_time) + "\",";
  return data + "\"data\":" + arrival.document + "}";
}

void hold_arrival(const Message& message) {
  Recent recent;
  const auto arrival = inventory::read_arrival(message, recent, kNow);
  // A space behind the first brace means nothing, but sends it the general way.
  Message spaced = message;
  spaced.data.insert(1, " ");
  Recent untouched;
  const auto general = inventory::read_arrival(spaced, untouched, kNow);
  hold(arrival.ok() == general.ok(), "both ways of reading an inventory accept the same");
  if (!arrival) {
    hold(arrival.failure().kind == FailureKind::invalid, "an inventory that cannot be read is its own fault");
    return;
  }
  hold_same(*arrival, *general);
  hold(arrival->hash == to_hex(sha256(arrival->document)), "the hash is the document's");
  hold(arrival->document.starts_with('{') && json::check(arrival->document).ok(),
       "an inventory is an object that can be stored");
  hold(!arrival->system_id.empty() && arrival->received_at <= kNow, "it is somebody's, and not of tomorrow");

  Message usual = message;
  usual.system_id = arrival->system_id;
  usual.data = usual_data(*arrival);
  Recent kept;
  const auto fast = inventory::read_arrival(usual, kept, kNow);
  hold(fast.ok(), "an inventory that was read can be written");
  hold_same(*fast, *arrival);
  if (json::quote(arrival->system_id.text()).find('\\') == std::string::npos) {
    hold(kept.documents.find(fast->hash) != nullptr, "what we write ourselves goes the fast way");
  }
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
  if (message->type == queue::Stage::inventory) hold_arrival(*message);
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
