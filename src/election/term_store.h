// SPDX-License-Identifier: Apache-2.0
// PORT. Which process runs the monitors (table collect_terms). A process is the runner for a term; terms are
// numbered, and one follows the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace collect::election {

struct Term {
  std::int64_t number = 0;  // 0: there was none yet
  std::int64_t beat = 0;    // moves as long as the runner lives
  std::string runner;       // empty: ended by itself
  bool operator==(const Term&) const = default;
};

// Each call is one transaction. `now` is for people who look at the table; nothing is decided by it, since
// the processes' clocks may differ.
class TermStore {
 public:
  virtual ~TermStore() = default;

  virtual Result<Term> current() = 0;
  // The next term, of this runner, if `seen` still stands as it was seen; of several processes that try one
  // succeeds. nullopt: it does not.
  virtual Result<std::optional<Term>> begin(const Term& seen, std::string_view runner, Time now) = 0;
  // The same term with one more beat. nullopt: another one began.
  virtual Result<std::optional<Term>> renew(const Term& mine, Time now) = 0;
  // So that the next runner need not wait. Does nothing when another term began.
  virtual Result<void> end(const Term& mine, Time now) = 0;
};

}  // namespace collect::election
