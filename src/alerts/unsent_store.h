// SPDX-License-Identifier: Apache-2.0
// PORT. What is still to be told about stored diffs.
#pragma once

#include <span>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"

namespace collect::alerts {

struct UnsentDiff {
  DiffId id{};
  RecordId record_id{};
  SystemId system_id;
  std::string diff_type;
  std::string category;
  std::string severity;
  std::string field_path;
  Time created_at{};
};

struct UnsentRecord {
  SystemId system_id;
  RecordId record_id{};
};

class UnsentStore {
 public:
  virtual ~UnsentStore() = default;
  // The diffs of these records with notification_sent = false, by id.
  virtual Result<std::vector<UnsentDiff>> unsent(std::span<const RecordId> records) = 0;
  virtual Result<void> mark_sent(std::span<const DiffId> diffs) = 0;
  // Records with unsent diffs created before `before`: for the sweep.
  virtual Result<std::vector<UnsentRecord>> unfinished(Time before, std::size_t limit) = 0;
};

}  // namespace collect::alerts
