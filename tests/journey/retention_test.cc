// SPDX-License-Identifier: Apache-2.0
// `collect retention` beside a running service.
#include <gmock/gmock.h>

#include "journey/appliance.h"

namespace collect::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Retention : public OnEachEngine {};
COLLECT_ON_EACH_ENGINE(Retention);

std::vector<std::int64_t> ids(const std::vector<RecordRow>& records) {
  std::vector<std::int64_t> out;
  for (const RecordRow& record : records) out.push_back(record.id);
  return out;
}

TEST_P(Retention, SaysWhatWouldGoAndThenTakesJustThat) {
  RunningService service(GetParam());
  // The pass that begins with the service must not be the one that does it.
  ASSERT_TRUE(eventually([&] { return service.metric("collect_retention_passes_total") >= 1; },
                         std::chrono::seconds(60)));
  Appliance box(service, service.new_system());
  for (const char* label : {"a", "b", "c", "d"}) box.report(labelled_inventory(label));
  ASSERT_TRUE(eventually([&] { return service.queues_empty(); }));
  const auto all = ids(service.history(box.login()));
  ASSERT_EQ(all.size(), 4U);
  // One quarter, long ago: the first stays, and the newest of the quarter.
  for (int i = 0; i < 3; ++i) {
    service.sql("UPDATE inventory_records SET created_at = '2024-0" + std::to_string(i + 1) +
                "-10T00:00:00.000000Z' WHERE id = " + std::to_string(all[static_cast<std::size_t>(i)]));
  }
  // What has diffs that nobody was told of stays until that is done.
  ASSERT_TRUE(eventually([&] {
    const auto dry = parsed(service.cli_output({"retention", "--dry-run", "--json"}));
    return text_of(*dry.root().find("total"), "removed") == "1";
  }));
  const auto dry = parsed(service.cli_output({"retention", "--dry-run", "--json"}));
  EXPECT_EQ(text_of(dry.root(), "dry_run"), "true");
  const json::Value& system = dry.root().find("systems")->elements[0];
  EXPECT_EQ(text_of(system, "system_key"), box.login().key);
  EXPECT_EQ(text_of(system, "records"), "4");
  EXPECT_EQ(text_of(system, "expired"), "[" + std::to_string(all[1]) + "]");
  EXPECT_EQ(service.history(box.login()).size(), 4U);
  EXPECT_THAT(service.cli_output({"retention", "--dry-run"}),
              HasSubstr("1 of 4 records of 1 systems would go"));

  const auto said = service.cli_output({"retention"});
  EXPECT_THAT(said, HasSubstr("1 of 4 records of 1 systems went"));
  EXPECT_THAT(said, HasSubstr(" ms a system"));
  EXPECT_THAT(ids(service.history(box.login())), ElementsAre(all[0], all[2], all[3]));
  EXPECT_EQ(service.diffs(box.login()).size(), 3U) << "diffs stay";
}

}  // namespace
}  // namespace collect::test
