// SPDX-License-Identifier: Apache-2.0
#include "inventory/jobs.h"

#include "base/json.h"

namespace collect::inventory {
namespace {

queue::Onward job(queue::Stage stage, const SystemId& system_id, std::string data, int max_attempts,
                  Time now) {
  queue::Message message;
  message.id = MessageId(new_uuid_v7(now));
  message.type = stage;
  message.system_id = system_id;
  message.data = std::move(data);
  message.max_attempts = max_attempts;
  message.created_at = now;
  return {stage, queue::encode(message)};
}

}  // namespace

queue::Onward notification_job(const SystemId& system_id, RecordId record_id, int max_attempts, Time now) {
  auto data =
      json::Writer().begin_object().member("record_id", static_cast<std::int64_t>(record_id)).end_object();
  return job(queue::Stage::notification, system_id, data.text(), max_attempts, now);
}

queue::Onward comparison_job(const SystemId& system_id, int max_attempts, Time now) {
  return job(queue::Stage::processing, system_id, "{}", max_attempts, now);
}

}  // namespace collect::inventory
