// SPDX-License-Identifier: Apache-2.0
// TermStore.
#include <thread>

#include "contract/store_contract.h"

namespace collect::test {
namespace {

using election::Term;

class TermsContract : public StoreContract {
 protected:
  std::optional<Term> begin(const Term& seen, std::string_view runner, std::int64_t seconds = 10) {
    const auto begun = stores_.terms.begin(seen, runner, at(seconds));
    EXPECT_TRUE(succeeded(begun));
    return begun.ok() ? *begun : std::nullopt;
  }
  Term current() {
    const auto term = stores_.terms.current();
    EXPECT_TRUE(succeeded(term));
    return term.ok() ? *term : Term{};
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, TermsContract, testing::ValuesIn(store_engines()), engine_name);

TEST_P(TermsContract, OneBeginsAfterTheOther) {
  EXPECT_EQ(current(), (Term{0, 0, ""}));
  const auto first = begin(current(), "a");
  EXPECT_EQ(first, (Term{1, 0, "a"}));
  EXPECT_EQ(current(), *first);
  EXPECT_EQ(begin(Term{}, "b"), std::nullopt);  // who looked before
  EXPECT_EQ(begin(*first, "b"), (Term{2, 0, "b"}));
  EXPECT_EQ(sql("select name, number, runner from collect_terms"), "monitors|2|b\n");
}

TEST_P(TermsContract, ABeatKeepsOthersFromBeginning) {
  const auto seen = begin(current(), "a");
  const auto renewed = stores_.terms.renew(*seen, at(20));
  ASSERT_TRUE(succeeded(renewed));
  EXPECT_EQ(*renewed, (Term{1, 1, "a"}));
  EXPECT_EQ(begin(*seen, "b"), std::nullopt);
  // Whose answer got lost goes on all the same.
  EXPECT_EQ(*stores_.terms.renew(*seen, at(21)), (Term{1, 2, "a"}));
  EXPECT_EQ(current(), (Term{1, 2, "a"}));
}

TEST_P(TermsContract, ATermThatIsOverCannotBeRenewedOrEnded) {
  const auto mine = begin(current(), "a");
  const auto next = begin(current(), "b");
  EXPECT_EQ(*stores_.terms.renew(*mine, at(20)), std::nullopt);
  ASSERT_TRUE(succeeded(stores_.terms.end(*mine, at(20))));
  EXPECT_EQ(current(), *next);
  ASSERT_TRUE(succeeded(stores_.terms.end(*next, at(30))));
  EXPECT_EQ(current().runner, "");
  EXPECT_EQ(current().number, 2);
  EXPECT_EQ(*stores_.terms.renew(*next, at(31)), std::nullopt);
  EXPECT_EQ(begin(current(), "a"), (Term{3, 0, "a"}));
}

TEST_P(TermsContract, OfManyThatTryOneSucceeds) {
  for (int round = 0; round < 5; ++round) {
    const Term seen = current();
    std::atomic<int> begun = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        const auto term = stores_.terms.begin(seen, "runner-" + std::to_string(i), at(round));
        if (term.ok() && term->has_value()) ++begun;
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(begun, 1);
    EXPECT_EQ(current().number, seen.number + 1);
  }
}

}  // namespace
}  // namespace collect::test
