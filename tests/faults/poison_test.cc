// SPDX-License-Identifier: Apache-2.0
// Item 6: one bad message among a hundred good ones, and one that ends whoever touches it.
#include <gmock/gmock.h>

#include <stdexcept>

#include "faults/by_hand.h"
#include "faults/trial.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct Poison {
  std::string bytes;
  std::string kept_as;  // in its dead letter
};

TEST(Faults, APoisonMessageAmongAHundred) {
  const Poison poisons[] = {{"\x80\xFF{\x01 not json", "gP97ASBub3QganNvbg=="},
                            {"{}", R"({"text":"{}"})"},
                            {"null", R"({"text":"null"})"}};
  const std::uint64_t seed = trial_seed();
  for (const EngineKind engine : {EngineKind::embedded, EngineKind::servers}) {
    SCOPED_TRACE(name_of(engine));
    Trial trial(engine, {.seed = seed, .systems = 9});
    trial.begin();
    Service& service = trial.service();
    std::size_t dead = 0;
    for (const Poison& poison : poisons) {
      service.stop();
      service.start({"--role", "api"});
      trial.report(5);
      push_by_hand(service, poison.bytes);
      trial.report(6);
      service.stop();
      service.start();
      trial.expect_whole(++dead);
      ASSERT_EQ(service.dead_letters(), dead);
      const auto letters = parsed(service.cli_output({"queue", "peek", "inventory", "--json"}));
      const json::Value& newest = letters.root().elements.front();
      EXPECT_THAT(json::to_text(newest), HasSubstr(poison.kept_as));
      EXPECT_GT(text_of(newest, "error").size(), 10U);
    }
  }
}

TEST(Faults, AMessageThatEndsTheProcessDiesAlone) {
  const std::uint64_t seed = trial_seed();
  for (const EngineKind engine : {EngineKind::embedded, EngineKind::servers}) {
    SCOPED_TRACE(name_of(engine));
    Trial trial(engine, {.seed = seed,
                         .systems = 4,
                         .settings = {{"COLLECT_CRASH_ON", "the last word"}},
                         .program = crashing_collect()});
    trial.begin();
    Service& service = trial.service();
    Appliance box(service, service.new_system("Deadly"));
    service.stop();
    service.start({"--role", "api"});
    trial.report(3);
    const std::string receipt = box.accept(labelled_inventory("the last word"));
    trial.report(3);
    service.stop();
    int starts = 0;
    const auto is_over = [&] {
      try {
        if (!service.running()) {
          ++starts;
          service.start();
        }
      } catch (const std::runtime_error&) {
        // It has met the message before it answered.
      }
      return trial.quiet();
    };
    ASSERT_TRUE(eventually(is_over, 90s)) << starts << " starts";
    EXPECT_EQ(starts, 4) << "it may end three processes: the one that took it, and two that adopted it";
    trial.expect_whole(1);
    EXPECT_EQ(service.dead_letters(), 1U);
    EXPECT_EQ(box.receipt(receipt).status, "dead");
    EXPECT_THAT(box.receipt(receipt).reason, HasSubstr("ended the process"));
  }
}

// Nobody's fault: the processes end in the moment after its effects are committed.
TEST(Faults, AMessageWithItsEffectsIsNoDeadLetterHoweverOftenTheProcessEnds) {
  for (const EngineKind engine : {EngineKind::embedded, EngineKind::servers}) {
    SCOPED_TRACE(name_of(engine));
    Trial trial(engine, {.seed = trial_seed(), .systems = 1, .program = crashing_collect()});
    trial.begin();
    Service& service = trial.service();
    service.stop();
    service.start({"--role", "api"});
    trial.report(1);
    service.stop();
    service.settings()["COLLECT_CRASH_AT"] = "inventory.after_commit";
    for (int ends = 0; ends < 3; ++ends) {
      try {
        service.start();
      } catch (const std::runtime_error&) {
        // It has met the message before it answered.
      }
      ASSERT_TRUE(eventually([&] { return !service.running(); }, 60s)) << "it does not end";
    }
    service.settings().erase("COLLECT_CRASH_AT");
    service.start();
    trial.expect_whole(0);
    EXPECT_EQ(service.dead_letters(), 0U);
  }
}

}  // namespace
}  // namespace collect::test
