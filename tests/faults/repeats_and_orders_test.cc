// SPDX-License-Identifier: Apache-2.0
// Item 7: the same message ten times, the same POST ten times at once, there and back, and the old after the
// new. Each alone, with all that it says about receipts, is in journey_test (Repeats, Queues).
#include <gmock/gmock.h>

#include <future>

#include "faults/by_hand.h"
#include "faults/trial.h"

namespace collect::test {
namespace {

using testing::ElementsAre;

std::vector<std::string> labels_of(Service& service, const Login& login) {
  std::vector<std::string> out;
  for (const DiffRow& diff : service.diffs(login)) out.push_back(diff.from + ">" + diff.to);
  return out;
}

TEST(Faults, RepeatsAndOrders) {
  for (const EngineKind engine : {EngineKind::embedded, EngineKind::servers}) {
    SCOPED_TRACE(name_of(engine));
    Trial trial(engine, {.systems = 0});
    trial.begin();
    Service& service = trial.service();
    Appliance box(service, service.new_system());
    const Login& login = box.login();

    const std::string first =
        message_of(numbered_id(1), login, "2026-01-02T03:04:05Z", labelled_inventory("A"));
    for (int i = 0; i < 10; ++i) push_by_hand(service, first);
    ASSERT_TRUE(eventually([&] { return trial.quiet(); }, std::chrono::seconds(30)));
    EXPECT_EQ(service.history(login).size(), 1U);

    std::vector<std::future<std::string>> posts;
    for (int i = 0; i < 10; ++i) {
      posts.push_back(std::async(std::launch::async,
                                 [&] { return Appliance(service, login).accept(labelled_inventory("B")); }));
    }
    std::vector<std::string> receipts;
    for (auto& post : posts) receipts.push_back(post.get());
    box.wait_processed(receipts);
    EXPECT_EQ(service.history(login).size(), 2U);

    box.report(labelled_inventory("A"));
    EXPECT_EQ(service.history(login).size(), 3U);

    push_by_hand(service,
                 message_of(numbered_id(2), login, "2020-01-02T03:04:05Z", labelled_inventory("long ago")));
    box.report(labelled_inventory("C"));
    ASSERT_TRUE(eventually([&] { return trial.quiet(); }, std::chrono::seconds(30)));
    EXPECT_EQ(service.history(login).size(), 5U);
    EXPECT_THAT(labels_of(service, login), ElementsAre(R"("A">"B")", R"("B">"A")", R"("A">"C")"));
    EXPECT_EQ(service.dead_letters(), 0U);
  }
}

}  // namespace
}  // namespace collect::test
