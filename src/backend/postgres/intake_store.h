// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/postgres/pool.h"
#include "inventory/batch_packer.h"
#include "inventory/intake_store.h"

namespace collect::postgres {

// Two round trips and the locks of the systems for a batch: one to lock and read, one or two to write.
class IntakeStore final : public inventory::IntakeStore {
 public:
  IntakeStore(Pool& pool, inventory::DocumentForm form) : pool_(pool), form_(form) {}
  Result<std::vector<RecordId>> take_in(std::span<const inventory::Arrival> batch, Time now,
                                        const inventory::DecideIntake& decide) override;
  Result<std::set<MessageId>> book_dead(std::span<const inventory::ProcessedMessage> messages,
                                        Time now) override;
  Result<std::optional<inventory::Receipt>> receipt(const SystemId& system_id,
                                                    const MessageId& message_id) override;
  Result<std::uint64_t> forget_messages(Time before, std::size_t limit) override;

 private:
  Pool& pool_;
  const inventory::DocumentForm form_;
  inventory::PackBases bases_{inventory::kPackBaseBytes};
};

}  // namespace collect::postgres
