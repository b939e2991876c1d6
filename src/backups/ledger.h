// SPDX-License-Identifier: Apache-2.0
// PORT. What the database knows about backups: which uploads are under way in any process, so that quotas and
// retention stay exact, and when each system's next backup is expected. The backups themselves are known to
// the object store alone.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"

namespace collect::backups {

// Room for an object that is on its way in.
struct Reservation {
  std::string key;
  OrganizationId organization_id;
  SystemId system_id;
  std::uint64_t size = 0;  // bytes
  auto operator<=>(const Reservation&) const = default;
};

// Whether one more fits beside these.
using Fits = std::function<bool(std::span<const Reservation> others)>;

struct Overdue {
  SystemId system_id;
  Time last_backup{};
  Time expected_by{};
};

class Ledger {
 public:
  virtual ~Ledger() = default;

  // One transaction, one at a time for an organization: `fits` is asked with all of the organization's
  // reservations that have not lapsed; if it agrees, `wanted` is one of them until `until`. False: it did
  // not.
  virtual Result<bool> reserve(const Reservation& wanted, const Fits& fits, Time now, Time until) = 0;

  // Those of these that are there last until `until`, unless they are settled.
  virtual Result<void> renew(std::span<const std::string> keys, Time until) = 0;

  // Uploads of one system end one after the other: true for one that has not lapsed or was settled, until
  // then false for others of the system. One that has lapsed meanwhile is reserved anew: its bytes are there.
  virtual Result<bool> take_turn(const Reservation& mine, Time now, Time until) = 0;

  // The upload has ended well: its turn is over, its room stays reserved until `until`, for those who listed
  // the objects before it was among them. The system's next backup is expected by then. Once it was settled a
  // later renewal does nothing.
  virtual Result<void> settle(const Reservation& mine, Time uploaded_at, Time expected_by, Time until) = 0;

  // There will be no object (an upload that failed), or no longer (one that was removed).
  virtual Result<void> forget(std::span<const std::string> keys) = 0;

  // Systems that are not deleted and expected to have made a backup before `now`; by id.
  virtual Result<std::vector<Overdue>> overdue(Time now) = 0;
};

}  // namespace collect::backups
