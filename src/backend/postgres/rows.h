// SPDX-License-Identifier: Apache-2.0
// What one statement answered. Moves, does not copy.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace collect::postgres {

// Rows and columns count from 0. Reading a null as a value gives the type's empty value.
class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result, &PQclear) {}

  [[nodiscard]] int count() const { return PQntuples(result_.get()); }
  [[nodiscard]] bool empty() const { return count() == 0; }
  // How many rows an INSERT, UPDATE or DELETE wrote.
  [[nodiscard]] std::int64_t affected() const;
  [[nodiscard]] ExecStatusType status() const { return PQresultStatus(result_.get()); }
  [[nodiscard]] const PGresult* raw() const { return result_.get(); }
  // The command tag: "COMMIT", "UPDATE 3".
  [[nodiscard]] std::string_view tag() const;

  [[nodiscard]] bool is_null(int row, int column) const;
  [[nodiscard]] std::string_view view(int row, int column) const;  // lives as long as this
  [[nodiscard]] std::string text(int row, int column) const { return std::string(view(row, column)); }
  [[nodiscard]] std::string bytes(int row, int column) const;  // of a bytea
  [[nodiscard]] std::int64_t int64(int row, int column) const;
  [[nodiscard]] bool flag(int row, int column) const { return view(row, column) == "t"; }
  // From timestamptz, or timestamp taken as UTC. Years beyond 1 to 9999 and infinity become the nearest of
  // them.
  [[nodiscard]] Time time(int row, int column) const;
  [[nodiscard]] std::optional<std::string> maybe_text(int row, int column) const;
  [[nodiscard]] std::optional<std::int64_t> maybe_int64(int row, int column) const;
  [[nodiscard]] std::optional<Time> maybe_time(int row, int column) const;

 private:
  std::unique_ptr<PGresult, decltype(&PQclear)> result_;
};

// PostgreSQL's ISO text ("2026-01-02 03:04:05.678901+00") as a Time; see Rows::time().
Time parse_timestamp(std::string_view text);

}  // namespace collect::postgres
