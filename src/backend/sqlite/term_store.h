// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/sqlite/database.h"
#include "election/term_store.h"

namespace collect::sqlite {

class TermStore final : public election::TermStore {
 public:
  explicit TermStore(Database& database) : database_(database) {}
  Result<election::Term> current() override;
  Result<std::optional<election::Term>> begin(const election::Term& seen, std::string_view runner,
                                              Time now) override;
  Result<std::optional<election::Term>> renew(const election::Term& mine, Time now) override;
  Result<void> end(const election::Term& mine, Time now) override;

 private:
  Database& database_;
};

}  // namespace collect::sqlite
