// SPDX-License-Identifier: Apache-2.0
// RetentionStore in memory, for tests of what stands on it.
#pragma once

#include <map>

#include "retention/pass.h"

namespace collect::retention {

class FakeRetentionStore final : public RetentionStore {
 public:
  std::map<SystemId, std::vector<StoredRecord>> rows;
  Forgotten old;
  std::optional<Noted> noted;
  std::optional<Failure> fails;      // every call does
  std::vector<std::size_t> removed;  // how many at a time

  Result<std::vector<SystemId>> systems(const std::optional<SystemId>& after, std::size_t limit) override {
    if (fails) return *fails;
    std::vector<SystemId> ids;
    for (auto row = after ? rows.upper_bound(*after) : rows.begin(); row != rows.end() && ids.size() < limit;
         ++row)
      ids.push_back(row->first);
    return ids;
  }
  Result<std::vector<StoredRecord>> records(const SystemId& system_id) override {
    if (fails) return *fails;
    return rows[system_id];
  }
  Result<Forgotten> forgettable(const Horizons&) override { return old; }
  Result<Forgotten> forget(const Horizons&, std::size_t limit) override {
    Forgotten gone;
    for (const auto kind : {&Forgotten::resolved_alerts, &Forgotten::alert_history, &Forgotten::deliveries}) {
      gone.*kind = std::min<std::uint64_t>(old.*kind, limit);
      old.*kind -= gone.*kind;
    }
    return gone;
  }
  Result<std::optional<Noted>> progress() override {
    if (fails) return *fails;
    return noted;
  }
  Result<void> note_progress(std::string_view progress, Time now) override {
    if (fails) return *fails;
    noted = Noted{std::string(progress), now};
    return {};
  }

  Remove remover() {
    return [this](const SystemId& system_id, std::span<const RecordId> gone) -> Result<std::uint64_t> {
      removed.push_back(gone.size());
      return std::erase_if(rows[system_id], [&](const StoredRecord& record) {
        return std::ranges::find(gone, record.id) != gone.end();
      });
    };
  }
};

}  // namespace collect::retention
