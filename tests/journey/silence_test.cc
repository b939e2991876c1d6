// SPDX-License-Identifier: Apache-2.0
// Systems that go silent, with the whole service, a real Alertmanager and a webhook. Nobody waits for
// timeouts: a silence is written into the database as the heartbeat monitor would have left it.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <stdexcept>

#include "base/clock.h"
#include "base/json.h"
#include "journey/alerts_seen.h"
#include "journey/appliance.h"
#include "support/alertmanager_server.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

constexpr auto kPatience = 60s;

class SilenceJourney : public OnEachEngine {
 protected:
  SilenceJourney() {
    write_text(service_.folder() / "config.yml", config_with(receiver_, kNothingHeldBack));
    service_.start();
  }

  void sql(const std::string& text) {
    if (service_.engine() == EngineKind::servers) {
      service_.sql(text);
      return;
    }
    sqlite3* handle = nullptr;
    sqlite3_open((service_.folder() / "data" / "collect.db").c_str(), &handle);
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> closer(handle, &sqlite3_close);
    sqlite3_busy_timeout(handle, 10'000);
    if (sqlite3_exec(handle, text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
      throw std::runtime_error(sqlite3_errmsg(handle));
  }
  void beat(const Login& login) {
    Appliance system(service_, login);
    ASSERT_EQ(system.http().post("/api/systems/heartbeat", "").status, 200);
  }
  // Heard of an hour ago, and then never again.
  void silence(const std::vector<Login>& systems) {
    const auto then = to_rfc3339(SystemClock().now() - 1h);
    std::string all;
    for (const Login& system : systems) {
      all += "INSERT INTO system_heartbeats (system_id, last_heartbeat, status, created_at) VALUES ('" +
             system.id + "', '" + then + "', 'active', '" + then +
             "') ON CONFLICT (system_id) DO UPDATE SET last_heartbeat = excluded.last_heartbeat;"
             "UPDATE systems SET status = 'inactive' WHERE id = '" +
             system.id + "';";
    }
    sql("BEGIN;" + all + "COMMIT;");
  }
  std::vector<AlertRow> rows() { return listed_alerts(service_, {"--type", "link_failed"}); }
  // startsAt and endsAt of the LinkFailed alerts that stand.
  std::vector<std::pair<std::string, std::string>> standing() {
    std::vector<std::pair<std::string, std::string>> times;
    const auto list = parsed(alertmanager_.alerts("active=true&filter=alertname%3D%22LinkFailed%22"));
    for (const auto& alert : list.root().elements)
      times.emplace_back(text_of(alert, "startsAt"), text_of(alert, "endsAt"));
    return times;
  }
  bool stand(std::size_t count) {
    return eventually([&] { return standing().size() == count; }, kPatience);
  }

  AlertmanagerServer alertmanager_;
  WebhookReceiver receiver_{"0123456789abcdef0123456789abcdef"};
  Service service_{GetParam(), {{"MIMIR_URL", alertmanager_.url()}, {"LINK_FAILED_INTERVAL", "1s"}}};
};
COLLECT_ON_EACH_ENGINE(SilenceJourney);

TEST_P(SilenceJourney, OneOutageIsOneAlertThroughKills) {
  const Login silent = service_.new_system("Silent");
  silence({silent});
  ASSERT_TRUE(stand(1));
  const auto first = standing().at(0);
  ASSERT_THAT(rows(), SizeIs(1));
  const AlertRow row = rows()[0];
  EXPECT_EQ(row.rule, "link_failed");
  EXPECT_EQ(row.severity, "critical");
  EXPECT_FALSE(row.resolved);
  EXPECT_THAT(row.message, HasSubstr("Silent is silent, its last heartbeat came at"));

  for (int kill = 0; kill < 3; ++kill) {
    service_.kill_hard();
    service_.start();
    const auto before = standing().at(0);
    EXPECT_TRUE(eventually([&] { return standing().at(0).second > before.second; }, kPatience))
        << "not refreshed after a restart";
  }
  ASSERT_THAT(standing(), SizeIs(1));
  EXPECT_EQ(standing()[0].first, first.first);
  EXPECT_THAT(rows(), SizeIs(1));
  EXPECT_EQ(service_.metric("collect_link_failed_firing"), 1);
  EXPECT_EQ(service_.metric("collect_systems", {"status=\"inactive\""}), 1);

  // What another process fired ends with the first heartbeat that the next one hears.
  service_.kill_hard();
  service_.start();
  beat(silent);
  ASSERT_TRUE(stand(0)) << alertmanager_.alerts();
  EXPECT_TRUE(eventually([&] { return rows().at(0).resolved; }, kPatience));
  EXPECT_THAT(rows(), SizeIs(1));
  EXPECT_EQ(service_.metric("collect_link_failed_firing"), 0);
  const auto news = news_of(rows());
  EXPECT_TRUE(wait_told(receiver_, news, kPatience));
  expect_each_told_once(receiver_, news);
}

TEST_P(SilenceJourney, AFleetThatGoesSilentIsOneMessage) {
  std::vector<Login> fleet;
  for (int i = 0; i < 12; ++i) {
    const auto made =
        parsed(service_.cli_output({"org", "create", "--name", "Org " + std::to_string(i), "--json"}));
    const auto system = parsed(service_.cli_output({"system", "create", "--org", text_of(made.root(), "id"),
                                                    "--name", "Box " + std::to_string(i), "--json"}));
    fleet.push_back({text_of(system.root(), "id"), text_of(system.root(), "system_key"),
                     text_of(system.root(), "system_secret")});
  }
  silence(fleet);
  ASSERT_TRUE(stand(12));
  EXPECT_TRUE(eventually([&] { return receiver_.count() > 0; }, kPatience));
  sleep_for(2s);  // a second one would come soon
  ASSERT_EQ(receiver_.count(), 1U);
  const auto body = parsed(receiver_.messages()[0].body);
  EXPECT_EQ(text_of(body.root(), "kind"), "summary");
  EXPECT_EQ(text_of(*body.root().find("organization"), "id"), "*");
  EXPECT_THAT(text_of(body.root(), "text"), AllOf(HasSubstr("12 alerts about 12 systems of the fleet"),
                                                  HasSubstr("Collect's own network")));
  EXPECT_THAT(service_.log(), HasSubstr("fleet_silent"));
  EXPECT_EQ(service_.metric("collect_fleet_silent"), 1);
  EXPECT_THAT(rows(), SizeIs(12));
}

}  // namespace
}  // namespace collect::test
