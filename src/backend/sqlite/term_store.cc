// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/term_store.h"

namespace collect::sqlite {
namespace {

using election::Term;

std::optional<Term> term_from(Cursor row) {
  if (!row.next()) return std::nullopt;
  return Term{row.int64(0), row.int64(1), row.text(2)};
}

}  // namespace

Result<Term> TermStore::current() {
  return database_.read([](Snapshot& snapshot) {
    return term_from(snapshot.query("SELECT number, beat, runner FROM collect_terms WHERE name = 'monitors'"))
        .value_or(Term{});
  });
}

Result<std::optional<Term>> TermStore::begin(const Term& seen, std::string_view runner, Time now) {
  return database_.write([&](Transaction& transaction) {
    return term_from(transaction.query(
        "INSERT INTO collect_terms(name, number, beat, runner, updated_at) VALUES ('monitors', ?1 + 1, 0, "
        "?3, ?4)"
        " ON CONFLICT (name) DO UPDATE SET number = excluded.number, beat = 0, runner = excluded.runner,"
        "   updated_at = excluded.updated_at WHERE collect_terms.number = ?1 AND collect_terms.beat = ?2"
        " RETURNING number, beat, runner",
        seen.number, seen.beat, runner, now));
  });
}

Result<std::optional<Term>> TermStore::renew(const Term& mine, Time now) {
  return database_.write([&](Transaction& transaction) {
    return term_from(
        transaction.query("UPDATE collect_terms SET beat = beat + 1, updated_at = ?3"
                          " WHERE name = 'monitors' AND number = ?1 AND runner = ?2"
                          " RETURNING number, beat, runner",
                          mine.number, mine.runner, now));
  });
}

Result<void> TermStore::end(const Term& mine, Time now) {
  return database_.write([&](Transaction& transaction) {
    transaction.run(
        "UPDATE collect_terms SET runner = '', beat = beat + 1, updated_at = ?3"
        " WHERE name = 'monitors' AND number = ?1 AND runner = ?2",
        mine.number, mine.runner, now);
  });
}

}  // namespace collect::sqlite
