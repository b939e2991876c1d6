// SPDX-License-Identifier: Apache-2.0
#include "election/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace collect::election {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class MemoryTerms final : public TermStore {
 public:
  Term term;
  bool away = false;          // every call fails
  bool answers_lost = false;  // begin() happens, and fails all the same

  Result<Term> current() override {
    if (away) return unavailable("away");
    return term;
  }
  Result<std::optional<Term>> begin(const Term& seen, std::string_view runner, Time) override {
    if (away) return unavailable("away");
    if (seen.number != term.number || seen.beat != term.beat) return std::optional<Term>();
    term = {seen.number + 1, 0, std::string(runner)};
    if (answers_lost) return unavailable("the answer got lost");
    return std::optional(term);
  }
  Result<std::optional<Term>> renew(const Term& mine, Time) override {
    if (away) return unavailable("away");
    if (term.number != mine.number || term.runner != mine.runner) return std::optional<Term>();
    ++term.beat;
    return std::optional(term);
  }
  Result<void> end(const Term& mine, Time) override {
    if (away) return unavailable("away");
    if (term.number == mine.number && term.runner == mine.runner) term = {mine.number, term.beat + 1, ""};
    return {};
  }
};

class Election : public testing::Test {
 protected:
  std::unique_ptr<Runner> candidate(const std::string& id) {
    return std::make_unique<Runner>(
        store_, id,
        [this, id](Runner::Before before) {
          elections_.push_back(id + (before == Runner::Before::silent ? " after silence" : ""));
        },
        Runner::Options{.lease = 20s,
                        .gone = [this](std::string_view one) { return one == gone_; },
                        .steady = [this] { return steady_; }});
  }
  void tick(Runner& runner) { runner.tick(Time{}); }
  // So long, with a tick of each every five seconds.
  void pass(std::chrono::seconds time, std::initializer_list<Runner*> candidates) {
    for (auto gone = 0s; gone < time; gone += 5s) {
      steady_ += 5s;
      for (Runner* each : candidates) each->tick(Time{});
    }
  }

  MemoryTerms store_;
  Runner::Steady::time_point steady_{std::chrono::hours(1000)};
  std::vector<std::string> elections_;
  std::string gone_;
};

TEST_F(Election, TheFirstThatComesIsTheRunner) {
  const auto a = candidate("a");
  const auto b = candidate("b");
  tick(*a);
  tick(*b);
  EXPECT_EQ(a->term(), 1);
  EXPECT_EQ(b->term(), std::nullopt);
  pass(10min, {a.get(), b.get()});
  EXPECT_EQ(a->term(), 1);
  EXPECT_EQ(b->term(), std::nullopt);
  EXPECT_THAT(elections_, ElementsAre("a"));
}

TEST_F(Election, WhoFallsSilentIsFollowedAfterALease) {
  const auto a = candidate("a");
  const auto b = candidate("b");
  tick(*a);
  pass(1min, {a.get(), b.get()});
  pass(15s, {b.get()});
  EXPECT_EQ(b->term(), std::nullopt);
  pass(10s, {b.get()});
  EXPECT_EQ(b->term(), 2);
  EXPECT_THAT(elections_, ElementsAre("a", "b after silence"));
}

TEST_F(Election, WhoWasStoppedKnowsThatItsTermIsOverBeforeItAsks) {
  const auto a = candidate("a");
  const auto b = candidate("b");
  tick(*a);
  tick(*b);
  steady_ += 19s;
  EXPECT_EQ(a->left(), 1s);
  steady_ += 1s;  // at which nobody else can have begun one: they saw the term later
  EXPECT_EQ(a->term(), std::nullopt);
  EXPECT_FALSE(a->run([] { FAIL() << "a round after the term"; }));
  tick(*b);
  EXPECT_EQ(b->term(), 2);
  tick(*a);
  EXPECT_EQ(a->term(), std::nullopt);
  EXPECT_EQ(b->term(), 2);
}

TEST_F(Election, WhoWasStoppedAndIsStillUnfollowedGoesOn) {
  const auto a = candidate("a");
  tick(*a);
  steady_ += 1h;
  EXPECT_EQ(a->term(), std::nullopt);
  tick(*a);
  EXPECT_EQ(a->term(), 1);
}

TEST_F(Election, WhoResignsIsFollowedAtOnce) {
  const auto a = candidate("a");
  const auto b = candidate("b");
  tick(*a);
  tick(*b);
  a->resign(Time{});
  EXPECT_EQ(a->term(), std::nullopt);
  tick(*b);
  EXPECT_EQ(b->term(), 2);
  EXPECT_THAT(elections_, ElementsAre("a", "b"));
}

TEST_F(Election, WhoseProcessIsKnownToBeGoneIsFollowedAtOnce) {
  const auto a = candidate("a");
  const auto b = candidate("b");
  tick(*a);
  tick(*b);
  EXPECT_EQ(b->term(), std::nullopt);
  gone_ = "a";
  tick(*b);
  EXPECT_EQ(b->term(), 2);
  EXPECT_THAT(elections_, ElementsAre("a", "b"));
}

TEST_F(Election, WithoutTheStoreNobodyIsTheRunnerForLong) {
  const auto a = candidate("a");
  const auto b = candidate("b");
  tick(*a);
  tick(*b);
  store_.away = true;
  pass(15s, {a.get(), b.get()});
  EXPECT_EQ(a->term(), 1);
  pass(10min, {a.get(), b.get()});
  EXPECT_EQ(a->term(), std::nullopt);
  EXPECT_EQ(b->term(), std::nullopt);
  store_.away = false;
  pass(5s, {a.get(), b.get()});
  EXPECT_EQ(a->term().has_value() + b->term().has_value(), 1);
}

TEST_F(Election, ATermWhoseBeginningWasNotAnsweredIsNoOneElses) {
  const auto a = candidate("a");
  store_.answers_lost = true;
  tick(*a);
  EXPECT_EQ(a->term(), std::nullopt);
  store_.answers_lost = false;
  tick(*a);
  EXPECT_EQ(a->term(), 2);
}

// Else what the round writes would pass for the new term's.
TEST_F(Election, NoTermBeginsWhileARoundOfAnEarlierOneRuns) {
  const auto a = candidate("a");
  tick(*a);
  EXPECT_TRUE(a->run([&] {
    store_.term = {2, 7, "b"};
    std::thread([&] { tick(*a); }).join();  // the term is lost
    store_.term = {2, 8, ""};
    std::thread([&] { tick(*a); }).join();
    EXPECT_EQ(a->term(), std::nullopt);
  }));
  tick(*a);
  EXPECT_EQ(a->term(), 3);
}

}  // namespace
}  // namespace collect::election
