// SPDX-License-Identifier: Apache-2.0
// Item 8: ten thousand messages are due as two processes start. The queue alone, on both engines:
// contract_test (QueueContract.TenThousandDueMessagesMoveOnceBetweenTwoPromoters).
#include <gmock/gmock.h>

#include "faults/by_hand.h"
#include "faults/trial.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr int kDue = 10000;

TEST(Faults, TwoPromotersTenThousandDue) {
  Trial trial(EngineKind::servers, {.seed = trial_seed(), .systems = 1, .servers = Servers::own_redis});
  trial.begin();
  Service& service = trial.service();
  Appliance box(service, service.new_system("Late"));
  box.report(labelled_inventory("A"));
  ASSERT_TRUE(eventually([&] { return trial.quiet(); }));
  service.stop();

  std::string commands;
  for (int i = 0; i < kDue; ++i) {
    commands += "ZADD collect:inventory:delayed 0 '" +
                message_of(numbered_id(i), box.login(), "2026-01-02T03:04:05Z", labelled_inventory("A")) +
                "'\n";
  }
  service.redis_cli({}, commands);
  service.redis_cli({"config", "resetstat"});
  trial.start_worker();
  trial.start_worker();
  ASSERT_TRUE(eventually([&] { return trial.quiet(); }, 120s));
  // Nothing else is pushed: these tell what is known, so no later stage hears of them.
  EXPECT_THAT(service.redis_cli({"info", "commandstats"}),
              HasSubstr("cmdstat_lpush:calls=" + std::to_string(kDue) + ","));
  EXPECT_EQ(service.sql("SELECT count(*) FROM processed_messages WHERE message_id LIKE '10000000-%'"),
            std::to_string(kDue) + "\n");
  service.start();
  EXPECT_EQ(service.dead_letters(), 0U);
}

}  // namespace
}  // namespace collect::test
