// SPDX-License-Identifier: Apache-2.0
// Starting, stopping and being told to read the rules again.
#include <gmock/gmock.h>
#include <signal.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "journey/appliance.h"

namespace collect::test {
namespace {

using std::chrono::steady_clock;
using testing::AllOf;
using testing::HasSubstr;

class Stopping : public OnEachEngine {
 protected:
  Service service_{GetParam()};
};
COLLECT_ON_EACH_ENGINE(Stopping);

TEST_P(Stopping, UnderLoadLosesNothingAndEndsWellInTime) {
  service_.start();
  std::vector<std::unique_ptr<Appliance>> boxes;
  for (int i = 0; i < 4; ++i) {
    boxes.push_back(std::make_unique<Appliance>(service_, service_.new_system("Box " + std::to_string(i))));
  }
  std::atomic<bool> enough{false};
  const auto give_up = steady_clock::now() + std::chrono::minutes(10);
  std::vector<std::vector<std::string>> receipts(boxes.size());
  std::vector<std::jthread> senders;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    senders.emplace_back([&, i] {
      while (!enough) {
        const std::string label = std::to_string(receipts[i].size());
        try {
          receipts[i].push_back(boxes[i]->insist(labelled_inventory(label, 3000), give_up));
        } catch (const std::exception& error) {
          ADD_FAILURE() << error.what();
          return;
        }
      }
    });
  }
  for (int round = 0; round < 3; ++round) {
    sleep_for(milliseconds(300));
    const auto begin = steady_clock::now();
    EXPECT_EQ(service_.stop(), 0) << service_.log();
    EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(30));
    service_.start();
  }
  enough = true;
  senders.clear();
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    boxes[i]->wait_processed(receipts[i]);
    const auto diffs = service_.diffs(boxes[i]->login());
    ASSERT_EQ(diffs.size() + 1, receipts[i].size());
    for (std::size_t step = 0; step < diffs.size(); ++step) {
      EXPECT_EQ(diffs[step].to, "\"" + std::to_string(step + 1) + "\"");
    }
  }
}

TEST_P(Stopping, AnIdleOneEndsAtOnce) {
  service_.start();
  Appliance box(service_, service_.new_system());
  box.report(labelled_inventory("a"));  // its connection stays open
  const auto begin = steady_clock::now();
  service_.signal(SIGINT);
  EXPECT_EQ(service_.stop(), 0) << service_.log();
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST_P(Stopping, ASilentClientDoesNotHoldItUp) {
  service_.settings()["WORKER_SHUTDOWN_TIMEOUT"] = "2s";
  service_.start();
  const Login login = service_.new_system();
  HttpClient idle(service_.port());
  EXPECT_EQ(idle.get("/api/health").status, 200);
  HttpClient half(service_.port());
  half.send("POST /api/systems/heartbeat HTTP/1.1\r\nHost: x\r\n");
  const auto begin = steady_clock::now();
  service_.stop();
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST_P(Stopping, HeartbeatsInMemoryAreWritten) {
  service_.start();
  Appliance box(service_, service_.new_system());
  EXPECT_EQ(box.http().request("POST", "/api/systems/heartbeat").status, 200);
  EXPECT_EQ(service_.stop(), 0);
  const auto system = parsed(service_.cli_output({"system", "show", box.login().key, "--json"}));
  EXPECT_NE(text_of(system.root(), "last_heartbeat"), "null");
}

class Rules : public OnEachEngine {
 protected:
  void write_rules(const std::string& text) { std::ofstream(file_) << text; }
  bool logged(const std::string& words) {
    return eventually([&] { return service_.log().find(words) != std::string::npos; });
  }
  // The severity of the change that this inventory brings.
  std::string severity_of(const std::string& label) {
    box_->report(labelled_inventory(label));
    return service_.diffs(box_->login()).back().severity;
  }

  Service service_{GetParam(), {{"LOG_LEVEL", "info"}}};
  std::filesystem::path file_ = service_.folder() / "rules.yml";
  std::unique_ptr<Appliance> box_;
};
COLLECT_ON_EACH_ENGINE(Rules);

TEST_P(Rules, AreReadAgainAtSighupUnlessTheyAreWrong) {
  const std::string rules = service_.cli_output({"config", "default"});
  write_rules(rules);
  service_.settings()["COLLECT_CONFIG"] = file_;
  service_.start();
  box_ = std::make_unique<Appliance>(service_, service_.new_system());
  box_->report(labelled_inventory("a"));
  EXPECT_EQ(severity_of("b"), "low");

  write_rules(rules + "\nno_such_section: 1\n");
  service_.signal(SIGHUP);
  ASSERT_TRUE(logged("config_refused")) << service_.log();
  EXPECT_THAT(service_.log(), HasSubstr("no_such_section"));
  EXPECT_EQ(severity_of("c"), "low");

  const std::string from = "  default: low";
  std::string changed = rules;
  ASSERT_NE(changed.find(from), std::string::npos);
  changed.replace(changed.find(from), from.size(), "  default: medium");
  write_rules(changed);
  service_.signal(SIGHUP);
  ASSERT_TRUE(logged("config_loaded")) << service_.log();
  EXPECT_EQ(severity_of("d"), "medium");
  EXPECT_TRUE(service_.running());
}

TEST_P(Rules, WrongOnesAreNoStart) {
  write_rules("categories: 7\n");
  service_.settings()["COLLECT_CONFIG"] = file_;
  const auto result = service_.cli({"serve"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("rules.yml"), HasSubstr("categories")));
}

TEST(StartUp, ASecondOneInTheSameFolderIsRefused) {
  Service service(EngineKind::embedded);
  service.start();
  service.settings()["LISTEN_ADDRESS"] = "127.0.0.1:" + std::to_string(free_port());
  const auto second = service.cli({"serve"});
  EXPECT_EQ(second.exit_code, 4);
  EXPECT_THAT(second.err, AllOf(HasSubstr("data"), HasSubstr("collect")));
  EXPECT_TRUE(service.running());
  Appliance box(service, service.new_system());
  box.report(labelled_inventory("still served"));
}

TEST(StartUp, AnAddressInUseIsSaid) {
  Service service(EngineKind::embedded);
  service.start();
  service.settings()["COLLECT_DATA_DIR"] = service.folder() / "other";
  const auto second = service.cli({"serve"});
  EXPECT_NE(second.exit_code, 0);
  EXPECT_THAT(second.err, HasSubstr(std::to_string(service.port())));
}

TEST(StartUp, HalfAnEngineIsRefused) {
  Service service(EngineKind::embedded);
  const auto told = [&](const Environment& more) {
    for (const auto& [name, value] : more) service.settings()[name] = value;
    const auto result = service.cli({"serve"});
    EXPECT_EQ(result.exit_code, 2);
    for (const auto& [name, value] : more) service.settings().erase(name);
    return result.err;
  };
  EXPECT_THAT(told({{"DATABASE_URL", "postgresql://127.0.0.1/x"}}), HasSubstr("REDIS_URL"));
  EXPECT_THAT(told({{"REDIS_URL", "redis://127.0.0.1"}}), HasSubstr("DATABASE_URL"));
  EXPECT_THAT(told({{"APP_ENV", "production"}}), AllOf(HasSubstr("production"), HasSubstr("DATABASE_URL")));
}

TEST(StartUp, EveryBadSettingIsNamed) {
  Service service(EngineKind::embedded, {{"QUEUE_RETRY_ATTEMPTS", "many"}, {"API_MAX_REQUEST_SIZE", "-1"}});
  for (const char* command : {"serve", "migrate"}) {
    const auto result = service.cli({command});
    EXPECT_EQ(result.exit_code, 2) << command;
    EXPECT_THAT(result.err, AllOf(HasSubstr("QUEUE_RETRY_ATTEMPTS"), HasSubstr("API_MAX_REQUEST_SIZE")))
        << command;
  }
  EXPECT_EQ(service.cli({"config", "check"}).exit_code, 2);
}

TEST(StartUp, ServersThatAreNotThereAreSaid) {
  Service service(EngineKind::servers);
  const int nobody = free_port();
  service.settings()["REDIS_URL"] = "redis://127.0.0.1:" + std::to_string(nobody);
  const auto redis = service.cli({"serve"});
  EXPECT_EQ(redis.exit_code, 5);
  EXPECT_THAT(redis.err, HasSubstr("Redis"));
  service.settings()["DATABASE_URL"] =
      "postgresql://collect:topsecret@127.0.0.1:" + std::to_string(nobody) + "/x";
  const auto postgres = service.cli({"serve"});
  EXPECT_EQ(postgres.exit_code, 5);
  EXPECT_THAT(postgres.err, HasSubstr("PostgreSQL"));
  EXPECT_THAT(postgres.err, testing::Not(HasSubstr("topsecret")));
}

}  // namespace
}  // namespace collect::test
