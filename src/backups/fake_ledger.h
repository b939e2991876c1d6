// SPDX-License-Identifier: Apache-2.0
// For tests only: a Ledger in memory that can be told to fail.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backups/ledger.h"

namespace collect::backups {

class FakeLedger final : public Ledger {
 public:
  Result<bool> reserve(const Reservation& wanted, const Fits& fits, Time now, Time until) override {
    const std::lock_guard lock(mutex_);
    if (failure) return *failure;
    std::vector<Reservation> others;
    for (const auto& [key, row] : rows) {
      if (row.what.organization_id == wanted.organization_id && row.until >= now) others.push_back(row.what);
    }
    if (!fits(others)) return false;
    rows[wanted.key] = {wanted, State::uploading, until};
    return true;
  }
  Result<void> renew(std::span<const std::string> keys, Time until) override {
    const std::lock_guard lock(mutex_);
    for (const std::string& key : keys) {
      if (rows.contains(key) && rows[key].state != State::settled) rows[key].until = until;
    }
    return {};
  }
  Result<bool> take_turn(const Reservation& mine, Time now, Time until) override {
    const std::lock_guard lock(mutex_);
    if (failure) return *failure;
    for (const auto& [key, row] : rows) {
      if (row.what.system_id == mine.system_id && row.state == State::ending && key != mine.key &&
          row.until >= now) {
        return false;
      }
    }
    rows[mine.key] = {mine, State::ending, until};
    return true;
  }
  Result<void> settle(const Reservation& mine, Time uploaded_at, Time expected_by, Time until) override {
    const std::lock_guard lock(mutex_);
    if (failure) return *failure;
    rows[mine.key] = {mine, State::settled, until};
    expected[mine.system_id] = {mine.system_id, uploaded_at, expected_by};
    return {};
  }
  Result<void> forget(std::span<const std::string> keys) override {
    const std::lock_guard lock(mutex_);
    if (failure) return *failure;
    for (const std::string& key : keys) rows.erase(key);
    return {};
  }
  Result<std::vector<Overdue>> overdue(Time now) override {
    const std::lock_guard lock(mutex_);
    if (failure) return *failure;
    std::vector<Overdue> out;
    for (const auto& [id, each] : expected) {
      if (each.expected_by < now) out.push_back(each);
    }
    return out;
  }

  enum class State { uploading, ending, settled };
  struct Row {
    Reservation what;
    State state = State::uploading;
    Time until{};
  };
  std::optional<Failure> failure;
  std::map<std::string, Row> rows;
  std::map<SystemId, Overdue> expected;

 private:
  std::mutex mutex_;
};

}  // namespace collect::backups
