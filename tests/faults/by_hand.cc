// SPDX-License-Identifier: Apache-2.0
#include "faults/by_hand.h"

#include "base/hash.h"

namespace collect::test {

std::string numbered_id(int number) {
  const std::string digits = std::to_string(number);
  return "10000000-0000-4000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

std::string message_of(const std::string& id, const Login& system, const std::string& timestamp,
                       const std::string& inventory) {
  return R"({"id":")" + id + R"(","type":"inventory","system_id":")" + system.id +
         R"(","data":{"system_id":")" + system.id + R"(","timestamp":")" + timestamp + R"(","data":)" +
         inventory + R"(},"attempts":0,"max_attempts":3,"created_at":")" + timestamp + R"("})";
}

void push_by_hand(Service& service, std::string_view bytes) {
  if (service.engine() == EngineKind::servers) {
    service.redis_cli({"-x", "lpush", "collect:inventory"}, bytes);
    return;
  }
  service.sql(
      "BEGIN IMMEDIATE; UPDATE queue_depths SET messages = messages + 1 WHERE stage = 'inventory' AND "
      "state = 'ready'; INSERT INTO queue_messages(stage, state, position, system_id, text) SELECT "
      "'inventory', 'ready', ifnull(max(position), 0) + 1, '', x'" +
      to_hex(bytes) + "' FROM queue_messages WHERE stage = 'inventory' AND state = 'ready'; COMMIT");
}

}  // namespace collect::test
