// SPDX-License-Identifier: Apache-2.0
// What the tables' columns are like where a database of other programs was taken over: ids may be uuid
// instead of text, and a text that is no uuid must not fail the statement of a whole batch.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "backend/postgres/connection.h"

namespace collect::postgres {

class Schema {
 public:
  Schema(std::set<std::string, std::less<>> uuid_columns, bool complete)
      : uuid_columns_(std::move(uuid_columns)), complete_(complete) {}

  // Whether the tables are there at all.
  [[nodiscard]] bool complete() const { return complete_; }
  // "uuid" or "text"; `column` is "systems.id".
  [[nodiscard]] std::string_view type(std::string_view column) const;
  // Whether a row with that text in `column` can exist: else nobody needs to ask.
  [[nodiscard]] bool can_hold(std::string_view column, std::string_view text) const;
  // SQL that is true where `column` (written `left`) equals the expression `right` of the column
  // `right_column`, written such that an index on `left` is used.
  [[nodiscard]] std::string equal(std::string_view left, std::string_view column, std::string_view right,
                                  std::string_view right_column) const;

 private:
  std::set<std::string, std::less<>> uuid_columns_;  // "systems.id"
  bool complete_;
};

// Throws Fault.
Schema read_schema(Connection& connection);

}  // namespace collect::postgres
