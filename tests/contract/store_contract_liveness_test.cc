// SPDX-License-Identifier: Apache-2.0
// LivenessStore.
#include "contract/store_contract.h"

namespace collect::test {
namespace {

using liveness::Heartbeat;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class LivenessContract : public StoreContract {
 protected:
  void beat(const std::vector<Heartbeat>& heartbeats) {
    ASSERT_TRUE(succeeded(stores_.liveness.write(heartbeats)));
  }
  std::string status(std::string_view word) { return find(word).status; }
};
INSTANTIATE_TEST_SUITE_P(Engines, LivenessContract, testing::ValuesIn(store_engines()), engine_name);

TEST_P(LivenessContract, HeartbeatsNeverMoveBackwards) {
  add_systems({"a", "b"});
  beat({{id_of("a"), at(10)}, {id_of("b"), at(11)}});
  beat({{id_of("a"), at(5)}, {id_of("b"), at(20)}});
  EXPECT_EQ(find("a").last_heartbeat, at(10));
  EXPECT_EQ(find("b").last_heartbeat, at(20));
  beat({});
}

TEST_P(LivenessContract, SystemsThatAreGoneArePassedBy) {
  add_systems({"a"});
  beat({{id_of("gone"), at(10)}, {SystemId("no uuid"), at(10)}, {id_of("a"), at(10)}});
  EXPECT_EQ(find("a").last_heartbeat, at(10));
  EXPECT_EQ(sql("select count(*) from system_heartbeats"), "1\n");
}

TEST_P(LivenessContract, StatusFollowsHeartbeats) {
  add_systems({"new", "silent", "fresh", "never"});
  beat({{id_of("new"), at(100)}, {id_of("silent"), at(100)}, {id_of("fresh"), at(100)}});
  auto done = stores_.liveness.apply(at(90), at(90));
  ASSERT_TRUE(succeeded(done));
  EXPECT_THAT(done->activated, UnorderedElementsAre(id_of("new"), id_of("silent"), id_of("fresh")));
  EXPECT_THAT(done->deactivated, IsEmpty());
  EXPECT_EQ(status("new"), "active");
  EXPECT_EQ(status("never"), "unknown");
  EXPECT_EQ(find("new").updated_at, at(0));

  beat({{id_of("fresh"), at(200)}});
  done = stores_.liveness.apply(at(190), std::nullopt);
  EXPECT_THAT(done->activated, IsEmpty());
  EXPECT_THAT(done->deactivated, IsEmpty());
  done = stores_.liveness.apply(at(190), at(100));  // not older than that
  EXPECT_THAT(done->deactivated, IsEmpty());
  done = stores_.liveness.apply(at(190), at(190));
  EXPECT_THAT(done->deactivated, UnorderedElementsAre(id_of("new"), id_of("silent")));
  EXPECT_EQ(status("silent"), "inactive");
  EXPECT_EQ(status("fresh"), "active");
  EXPECT_EQ(find("silent").updated_at, at(0));

  beat({{id_of("silent"), at(190)}});
  done = stores_.liveness.apply(at(190), at(190));
  EXPECT_THAT(done->activated, ElementsAre(id_of("silent")));
  EXPECT_THAT(done->deactivated, IsEmpty());
}

TEST_P(LivenessContract, DeletedSystemsStayDeleted) {
  add_systems({"a"});
  beat({{id_of("a"), at(10)}});
  systems::SystemChange removal;
  removal.remove = true;
  ASSERT_TRUE(succeeded(stores_.systems.change(id_of("a"), removal, at(11))));
  const auto done = stores_.liveness.apply(at(5), at(5));
  EXPECT_THAT(done->activated, IsEmpty());
  EXPECT_THAT(done->deactivated, IsEmpty());
  EXPECT_EQ(status("a"), "deleted");
}

TEST_P(LivenessContract, TheLastRunIsRemembered) {
  EXPECT_EQ(*stores_.liveness.last_run(), std::nullopt);
  ASSERT_TRUE(succeeded(stores_.liveness.note_run(at(10))));
  ASSERT_TRUE(succeeded(stores_.liveness.note_run(at(20))));
  EXPECT_EQ(*stores_.liveness.last_run(), at(20));
}

}  // namespace
}  // namespace collect::test
