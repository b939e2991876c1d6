// SPDX-License-Identifier: Apache-2.0
#include "inventory/receipt_id.h"

#include <charconv>

#include "base/hash.h"

namespace collect::inventory {
namespace {

constexpr std::size_t kTagDigits = 8;

// The first 28 characters are the first 12 bytes with their dashes.
std::string tag_of(std::string_view head, const SystemId& system_id) {
  const std::string signed_text = "receipt" + std::string(head) + system_id.text();
  return to_hex(sha256(signed_text)).substr(0, kTagDigits);
}

}  // namespace

MessageId new_receipt(const SystemId& system_id, Time now) {
  std::string uuid = new_uuid_v7(now);
  uuid.resize(uuid.size() - kTagDigits);
  return MessageId(uuid + tag_of(uuid, system_id));
}

std::optional<Time> receipt_time(std::string_view receipt, const SystemId& system_id) {
  if (!is_uuid(receipt)) return std::nullopt;
  const std::string_view head = receipt.substr(0, receipt.size() - kTagDigits);
  if (receipt.substr(head.size()) != tag_of(head, system_id)) return std::nullopt;
  const std::string digits = std::string(head.substr(0, 8)) + std::string(head.substr(9, 4));
  std::int64_t millis = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), millis, 16);
  return Time(std::chrono::milliseconds(millis));
}

}  // namespace collect::inventory
