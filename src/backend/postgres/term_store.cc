// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/term_store.h"

namespace collect::postgres {
namespace {

using election::Term;

std::optional<Term> term_from(const Rows& rows) {
  if (rows.empty()) return std::nullopt;
  return Term{rows.int64(0, 0), rows.int64(0, 1), rows.text(0, 2)};
}

}  // namespace

Result<Term> TermStore::current() {
  return pool_.read([](Connection& connection, const Schema&) {
    return term_from(connection.run("SELECT number, beat, runner FROM collect_terms WHERE name = 'monitors'"))
        .value_or(Term{});
  });
}

Result<std::optional<Term>> TermStore::begin(const Term& seen, std::string_view runner, Time now) {
  return pool_.write([&](Transaction& transaction, const Schema&) {
    return term_from(transaction.run(
        "INSERT INTO collect_terms AS t (name, number, beat, runner, updated_at) "
        "VALUES ('monitors', $1::bigint + 1, 0, $3, $4) "
        "ON CONFLICT (name) DO UPDATE SET number = EXCLUDED.number, beat = 0, runner = EXCLUDED.runner, "
        "updated_at = EXCLUDED.updated_at WHERE t.number = $1::bigint AND t.beat = $2::bigint "
        "RETURNING number, beat, runner",
        Params::of(seen.number, seen.beat, runner, now)));
  });
}

Result<std::optional<Term>> TermStore::renew(const Term& mine, Time now) {
  return pool_.write([&](Transaction& transaction, const Schema&) {
    return term_from(
        transaction.run("UPDATE collect_terms SET beat = beat + 1, updated_at = $3 "
                        "WHERE name = 'monitors' AND number = $1 AND runner = $2 "
                        "RETURNING number, beat, runner",
                        Params::of(mine.number, mine.runner, now)));
  });
}

Result<void> TermStore::end(const Term& mine, Time now) {
  return pool_.write([&](Transaction& transaction, const Schema&) {
    transaction.add(
        "UPDATE collect_terms SET runner = '', beat = beat + 1, updated_at = $3 "
        "WHERE name = 'monitors' AND number = $1 AND runner = $2",
        Params::of(mine.number, mine.runner, now));
  });
}

}  // namespace collect::postgres
