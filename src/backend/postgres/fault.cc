// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/fault.h"

#include <fmt/format.h>

namespace collect::postgres {
namespace {

struct Meaning {
  std::string_view sqlstate;
  std::string_view words;
};

// For the classes whose own messages quote the value.
constexpr Meaning kMeanings[] = {
    {"22P02", "a text that is none of its column's type"},
    {"22P03", "a binary value that is none of its column's type"},
    {"22P05", "a character that the database's encoding lacks"},
    {"22021", "bytes that are no text in the database's encoding"},
    {"22001", "a text that is too long for its column"},
    {"22003", "a number that is out of its column's range"},
    {"22007", "a time that is none"},
    {"22008", "a time out of range"},
    {"22030", "a JSON object with a duplicate key"},
    {"22032", "a text that is no JSON"},
    {"23502", "no value where the column needs one"},
    {"23503", "a reference to a row that is not there"},
    {"23505", "a row that exists already"},
    {"23514", "a value that a check constraint forbids"},
    {"54000", "a value that is larger than PostgreSQL stores"},
    {"54001", "a value that is nested more deeply than PostgreSQL reads"},
};

std::string_view meaning_of(std::string_view sqlstate) {
  for (const auto& meaning : kMeanings) {
    if (meaning.sqlstate == sqlstate) return meaning.words;
  }
  return "a value that it does not take";
}

}  // namespace

FailureKind kind_of(std::string_view sqlstate) {
  if (sqlstate == "55P03" || sqlstate == "25P03" || sqlstate == "25006") return FailureKind::unavailable;
  if (sqlstate == "CT001") return FailureKind::conflict;
  const auto group = sqlstate.substr(0, 2);
  if (group == "08" || group == "53" || group == "40" || group == "57" || group == "58") {
    return FailureKind::unavailable;
  }
  if (group == "22" || group == "23" || group == "54") return FailureKind::invalid;
  return FailureKind::internal;
}

Failure failure_of(const Diagnosis& diagnosis) {
  const auto kind = kind_of(diagnosis.sqlstate);
  if (kind != FailureKind::invalid) {
    // A table or a column that is not there: nobody has migrated this database yet.
    const bool unmigrated = diagnosis.sqlstate == "42P01" || diagnosis.sqlstate == "42703";
    return {kind, fmt::format("PostgreSQL: {} (SQLSTATE {}){}", diagnosis.primary, diagnosis.sqlstate,
                              unmigrated ? "; collect migrate brings the tables up to date" : "")};
  }
  auto message = fmt::format("PostgreSQL was given {}", meaning_of(diagnosis.sqlstate));
  if (!diagnosis.table.empty()) message += fmt::format(", table {}", diagnosis.table);
  if (!diagnosis.column.empty()) message += fmt::format(", column {}", diagnosis.column);
  if (!diagnosis.constraint.empty()) message += fmt::format(", constraint {}", diagnosis.constraint);
  return {kind, message + fmt::format(" (SQLSTATE {})", diagnosis.sqlstate)};
}

}  // namespace collect::postgres
