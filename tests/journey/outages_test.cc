// SPDX-License-Identifier: Apache-2.0
// Redis or PostgreSQL away for a while: what was accepted stays, what cannot be accepted is refused politely,
// and nobody has to restart anything.
#include <gmock/gmock.h>

#include "journey/appliance.h"

namespace collect::test {
namespace {

using testing::HasSubstr;

class Outages : public testing::Test {
 protected:
  std::string insist(const std::string& body) {
    return box_.insist(body, std::chrono::steady_clock::now() + std::chrono::seconds(30));
  }
  void expect_labels(const std::vector<std::string>& labels) {
    const auto diffs = service_.diffs(box_.login());
    ASSERT_EQ(diffs.size() + 1, labels.size());
    for (std::size_t i = 0; i < diffs.size(); ++i) {
      EXPECT_EQ(diffs[i].from, "\"" + labels[i] + "\"");
      EXPECT_EQ(diffs[i].to, "\"" + labels[i + 1] + "\"");
    }
  }

  RunningService service_{EngineKind::servers, {}, Servers::own};
  Appliance box_{service_, service_.new_system()};
};

TEST_F(Outages, RedisStoppedAndBack) {
  box_.report(labelled_inventory("a"));
  service_.redis().stop();
  const auto refused = box_.post(labelled_inventory("b"));
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_GT(std::stoi("0" + refused.header("Retry-After")), 0);
  EXPECT_THAT(text_of(parsed(refused.body).root(), "message"), testing::Not(testing::IsEmpty()));
  HttpClient client(service_.port());
  EXPECT_EQ(client.get("/api/health").status, 503);
  EXPECT_EQ(client.get("/api/health/live").status, 200);
  EXPECT_THAT(client.get("/api/health/ready").body, HasSubstr("queue"));

  service_.redis().start();
  const std::string receipt = insist(labelled_inventory("b"));
  box_.wait_processed({receipt});
  expect_labels({"a", "b"});
  EXPECT_EQ(client.get("/api/health").status, 200);
}

// As `always` promises. With `everysec` a kill may cost what Redis put off while it synced.
TEST_F(Outages, RedisKilledUnderLoadKeepsWhatItAcknowledged) {
  service_.redis_cli({"config", "set", "appendfsync", "always"});
  std::vector<std::string> receipts;
  std::vector<std::string> labels;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 20; ++i) {
      labels.push_back(std::to_string(labels.size()));
      receipts.push_back(insist(labelled_inventory(labels.back())));
    }
    service_.redis().kill_hard();
    service_.redis().start({"--appendfsync", "always"});
  }
  box_.wait_processed(receipts);
  expect_labels(labels);
}

TEST_F(Outages, PostgresStoppedAndBack) {
  box_.report(labelled_inventory("a"));
  service_.postgres().stop();
  // The log-in is remembered and the queue is there: that is all a 202 needs.
  std::vector<std::string> receipts;
  for (const char* label : {"b", "c", "d"}) receipts.push_back(box_.accept(labelled_inventory(label)));
  HttpClient client(service_.port());
  EXPECT_EQ(client.get("/api/health").status, 503);
  EXPECT_THAT(client.get("/api/health/ready").body, HasSubstr("database"));
  client.basic_auth("NETH-0000-0000-0000-0000-0000-0000-0000-0000", "my_public." + std::string(40, 's'));
  EXPECT_EQ(client.get("/api/systems/info").status, 503) << "who cannot be looked up is not refused for good";

  service_.postgres().start();
  EXPECT_TRUE(eventually([&] { return client.get("/api/systems/info").status == 401; }));
  EXPECT_TRUE(eventually(
      [&] { return box_.http().get("/api/systems/inventory/receipts/" + receipts[0]).status == 200; }));
  box_.wait_processed(receipts);
  expect_labels({"a", "b", "c", "d"});
  EXPECT_EQ(service_.dead_letters(), 0U) << "an outage is nobody's bad data";
}

TEST_F(Outages, PostgresCrashesUnderLoad) {
  std::vector<std::string> receipts;
  std::vector<std::string> labels;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 20; ++i) {
      labels.push_back(std::to_string(labels.size()));
      receipts.push_back(insist(labelled_inventory(labels.back())));
    }
    if (round == 0) {
      service_.postgres().kill_hard();
      service_.postgres().start();
    } else {
      service_.postgres().terminate_backends();
    }
  }
  EXPECT_TRUE(eventually(
      [&] { return box_.http().get("/api/systems/inventory/receipts/" + receipts[0]).status == 200; }));
  box_.wait_processed(receipts);
  expect_labels(labels);
  EXPECT_EQ(service_.dead_letters(), 0U);
}

}  // namespace
}  // namespace collect::test
