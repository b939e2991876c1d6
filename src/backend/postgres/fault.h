// SPDX-License-Identifier: Apache-2.0
// What goes wrong between Collect and PostgreSQL. Inside this folder errors travel as Fault; Pool::read() and
// Pool::write() turn them into a Failure, and no Fault leaves the adapter.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "base/result.h"

namespace collect::postgres {

class Fault final : public std::exception {
 public:
  explicit Fault(Failure failure) : failure_(std::move(failure)) {}
  [[nodiscard]] const Failure& failure() const { return failure_; }
  [[nodiscard]] const char* what() const noexcept override { return failure_.message.c_str(); }

 private:
  Failure failure_;
};

// What the server says about an error, as libpq's diagnostic fields (empty where it says nothing).
struct Diagnosis {
  std::string_view sqlstate;
  std::string_view primary;
  std::string_view table;
  std::string_view column;
  std::string_view constraint;
};

// Classes 08 (connection), 53 (resources), 40 (deadlock, serialization), 57 (shutdown, timeout, cancelled),
// 58 (the server's disk), 55P03 (lock), 25P03 and 25006 (a standby) are `unavailable`: nothing is wrong with
// the statement. CT001 (collect_check_term: a runner's term is over) is `conflict`. Classes 22, 23 and 54 are
// `invalid`: some value is. All else is `internal`.
FailureKind kind_of(std::string_view sqlstate);

// A sentence without values of rows or parameters: the server's own words only where they cannot hold any.
Failure failure_of(const Diagnosis& diagnosis);

}  // namespace collect::postgres
