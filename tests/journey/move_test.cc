// SPDX-License-Identifier: Apache-2.0
// `collect migrate --from`: an embedded instance goes to PostgreSQL and Redis with all that it has, and what
// comes next goes on from there.
#include <gmock/gmock.h>
#include <signal.h>
#include <sqlite3.h>

#include <random>
#include <stdexcept>

#include "base/clock.h"
#include "fleet/appliance.h"
#include "journey/alerts_seen.h"
#include "journey/appliance.h"
#include "journey/backup_place.h"
#include "support/seed.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;
using testing::AnyOf;
using testing::HasSubstr;
using testing::SizeIs;

struct Target {
  PlaceKind place;
  std::string store;  // INVENTORY_STORE
};

// An embedded instance with a history.
class Instance {
 public:
  explicit Instance(const WebhookReceiver& receiver, int reports = 8) {
    write_text(service_.folder() / "config.yml", config_with(receiver, kNothingHeldBack));
    service_.start();
    for (const auto kind : {fleet::Kind::ns8, fleet::Kind::nsec, fleet::Kind::ns8}) {
      fleets_.emplace_back(fleet::ApplianceOptions{
          .kind = kind, .seed = fleets_.size() + 1, .size_bytes = 9'000, .event_probability = 0.9});
      boxes_.push_back(service_.new_system("Box " + std::to_string(fleets_.size())));
      Appliance box(service_, boxes_.back());
      box.report(fleets_.back().first().json);
      for (int i = 1; i < reports; ++i) box.report(fleets_.back().next().json);
      if (box.http().post("/api/systems/heartbeat", "").status != 200)
        throw std::runtime_error("no heartbeat");
      const auto kept = box.http().post("/api/systems/backups", "a backup of " + box.login().key,
                                        {{"X-Filename", "dump.gpg"}, {"Content-Type", "application/pgp"}});
      if (kept.status != 201) throw std::runtime_error("no backup: " + kept.body);
      backups_.push_back(text_of(*parsed(kept.body).root().find("data"), "id"));
    }
  }

  // Ends with these accepted and not yet processed, a delayed message and two dead letters.
  void stop_with_queues() {
    if (service_.stop() != 0) throw std::runtime_error("the service did not end in order");
    service_.start({"--role", "api"});
    for (std::size_t i = 0; i < boxes_.size(); ++i) {
      Appliance box(service_, boxes_[i]);
      receipts_.push_back(box.accept(fleets_[i].next().json));
      receipts_.push_back(box.accept(fleets_[i].next().json));
    }
    if (service_.stop() != 0) throw std::runtime_error("the service did not end in order");
    add_message("processing", "delayed", SystemClock().now() + 1h,
                "{\"id\":\"later\",\"system_id\":\"nobody\"}");
    add_message("inventory", "dead", Time(1us), "{\"id\":\"older\",\"error\":\"attempt 1\"}");
    add_message("inventory", "dead", Time(2us), "{\"id\":\"newer\",\"error\":\"attempt 1\"}");
  }

  void sql(const std::string& text) const {
    sqlite3* handle = nullptr;
    sqlite3_open((data() / "collect.db").c_str(), &handle);
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> closer(handle, &sqlite3_close);
    sqlite3_busy_timeout(handle, 10'000);
    if (sqlite3_exec(handle, text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
      throw std::runtime_error(sqlite3_errmsg(handle));
  }

  Service& service() { return service_; }
  [[nodiscard]] std::filesystem::path data() const { return service_.folder() / "data"; }
  [[nodiscard]] const std::vector<Login>& boxes() const { return boxes_; }
  [[nodiscard]] const std::vector<std::string>& receipts() const { return receipts_; }
  [[nodiscard]] const std::vector<std::string>& backups() const { return backups_; }
  fleet::Appliance& fleet(std::size_t i) { return fleets_.at(i); }

 private:
  void add_message(const std::string& stage, const std::string& state, Time position,
                   const std::string& text) const {
    sql("INSERT INTO queue_messages (stage, state, position, system_id, text) VALUES ('" + stage + "', '" +
        state + "', " + std::to_string(position.time_since_epoch().count()) + ", '', CAST('" + text +
        "' AS BLOB))");
  }

  Service service_{EngineKind::embedded};
  std::vector<fleet::Appliance> fleets_;
  std::vector<Login> boxes_;
  std::vector<std::string> receipts_;
  std::vector<std::string> backups_;
};

// What every command that reads answers, by its words.
std::map<std::string, std::string> answers(const Service& service, const std::vector<Login>& boxes) {
  std::vector<std::vector<std::string>> commands = {
      {"org", "list"},
      {"system", "list"},
      {"alerts", "list", "--all"},
      {"alerts", "deliveries", "--all"},
      {"queue", "peek", "inventory", "--part", "ready", "--limit", "99"},
      {"queue", "peek", "inventory", "--part", "dead", "--limit", "99"},
      {"queue", "peek", "processing", "--part", "delayed"}};
  for (const Login& box : boxes) {
    for (const std::string what : {"latest", "history", "timeline", "diffs"}) {
      commands.push_back({"inventory", what, box.key});
      if (what == "history" || what == "diffs") commands.back().push_back("--all");
    }
    commands.push_back({"system", "show", box.key});
    commands.push_back({"backups", "list", box.key});
  }
  std::map<std::string, std::string> out;
  for (auto& words : commands) {
    std::string line;
    for (const std::string& word : words) line += word + " ";
    words.push_back("--json");
    out[line] = service.cli_output(words);
  }
  return out;
}

void expect_same(const std::map<std::string, std::string>& before,
                 const std::map<std::string, std::string>& after) {
  for (const auto& [line, text] : before) {
    EXPECT_TRUE(json::equal(parsed(text).root(), parsed(after.at(line)).root()))
        << line << "\nbefore: " << text << "\nafter: " << after.at(line);
  }
}

class Move : public testing::TestWithParam<Target> {
 protected:
  Move() {
    for (const auto& [name, value] : place_->settings(there_.folder())) there_.settings()[name] = value;
    there_.settings()["INVENTORY_STORE"] = GetParam().store;
    write_text(there_.folder() / "config.yml", config_with(receiver_, kNothingHeldBack));
  }
  ProcessResult move(std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"migrate", "--from", here_.data().string()};
    words.insert(words.end(), more.begin(), more.end());
    return there_.cli(words);
  }

  const std::unique_ptr<BackupPlace> place_ = make_place(GetParam().place);
  WebhookReceiver receiver_{"0123456789abcdef0123456789abcdef"};
  Instance here_{receiver_};
  Service there_{EngineKind::servers};
};
INSTANTIATE_TEST_SUITE_P(, Move,
                         testing::Values(Target{PlaceKind::directory, "jsonb"},
                                         Target{PlaceKind::fake_s3, "compact"}),
                         [](const auto& each) { return name_of(each.param.place) + "_" + each.param.store; });

TEST_P(Move, TakesAllAlongAndGoesOn) {
  here_.stop_with_queues();
  const auto before = answers(here_.service(), here_.boxes());
  const auto moved = move({"--json"});
  ASSERT_EQ(moved.exit_code, 0) << moved.err;
  const auto report = parsed(moved.out);
  EXPECT_EQ(text_of(*report.root().find("moved"), "systems"), "3");
  EXPECT_EQ(text_of(*report.root().find("moved")->find("rows"), "queue_inventory_ready"), "6");
  EXPECT_EQ(text_of(*report.root().find("moved")->find("backups"), "copied"), "3");
  EXPECT_THAT(moved.err, HasSubstr("inventory_diffs"));
  expect_same(before, answers(there_, here_.boxes()));
  EXPECT_EQ(there_.sql("SELECT count(*) > 0 FROM inventory_records WHERE packed IS NOT NULL"),
            GetParam().store == "compact" ? "t\n" : "f\n");

  // What was accepted there is processed here; the next change is found against the last record.
  there_.start();
  for (std::size_t i = 0; i < here_.boxes().size(); ++i) {
    const Login& box = here_.boxes()[i];
    Appliance appliance(there_, box);
    appliance.wait_processed({here_.receipts()[2 * i], here_.receipts()[2 * i + 1]});
    const auto history = there_.history(box);
    ASSERT_THAT(history, SizeIs(10));
    const auto diffs = there_.diffs(box).size();
    std::size_t expected = 0;
    while (expected == 0) {
      const auto& next = here_.fleet(i).next();
      if (next.event) expected = next.event->changes.size();
      appliance.report(next.json);
    }
    const auto all = there_.diffs(box);
    ASSERT_EQ(all.size(), diffs + expected);
    EXPECT_GT(all.back().id, all.front().id);
    EXPECT_GT(all.back().current_id, history.back().id);
    EXPECT_GE(all.back().previous_id, history.back().id);
    EXPECT_EQ(appliance.http().get("/api/systems/backups/" + here_.backups()[i]).body,
              "a backup of " + box.key);
    EXPECT_EQ(appliance.http().post("/api/systems/heartbeat", "").status, 200);
  }
  EXPECT_EQ(there_.dead_letters(), 2U);
  EXPECT_EQ(there_.redis_cli({"zcard", "collect:processing:delayed"}), "1");
  EXPECT_EQ(there_.stop(), 0);
  const auto again = move();
  EXPECT_EQ(again.exit_code, 4);
  EXPECT_THAT(again.err, HasSubstr("moved to this database before"));
}

// As it is when a machine goes down again and again.
TEST_P(Move, KilledAnywhereItGoesOnUntilItIsDone) {
  here_.stop_with_queues();
  here_.sql(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
      "INSERT INTO inventory_diffs (system_id, diff_type, category, severity, field_path, previous_value, "
      "created_at, "
      "notification_sent) SELECT (SELECT id FROM systems LIMIT 1), 'update', 'os', 'low', 'facts.zz' || i, "
      "i, "
      "'2026-01-01T00:00:00.000000Z', 1 FROM n");
  const auto before = answers(here_.service(), here_.boxes());
  std::mt19937_64 random(test_seed());
  int kills = 0;
  bool done = false;
  while (!done && kills < 100) {
    const auto process = there_.launch({"migrate", "--from", here_.data().string()});
    // What comes last takes seconds on a slow machine, and has to come once.
    const auto patience = kills < 40
                              ? milliseconds(std::uniform_int_distribution<int>(10, 400 + 40 * kills)(random))
                              : milliseconds(300'000);
    const auto code = process->wait_exit(patience);
    if (code) {
      // 4: the kill before came after the end.
      ASSERT_TRUE(*code == 0 || (kills > 0 && *code == 4)) << process->err();
      EXPECT_THAT(process->out() + process->err(),
                  AnyOf(HasSubstr("they agree"), HasSubstr("moved to this database before")));
      done = true;
    } else {
      ++kills;
      process->kill_hard();
      // Its last statement may still be carried out, and be the one that ends the move.
      EXPECT_TRUE(eventually([&] {
        return there_.sql(
                   "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                   "backend_type = 'client backend' AND pid <> pg_backend_pid()") == "0\n";
      }));
      // Nobody works on half of it.
      const bool begun =
          there_.sql("SELECT to_regclass('collect_state') IS NOT NULL") == "t\n" &&
          there_.sql("SELECT count(*) FROM collect_state WHERE key = 'move' AND value NOT LIKE '% done %'") ==
              "1\n";
      if (begun && kills % 8 == 0) {
        const auto refused = there_.cli({"serve"});
        EXPECT_EQ(refused.exit_code, 4);
        EXPECT_THAT(refused.err, HasSubstr("is not done"));
      }
    }
  }
  EXPECT_TRUE(done);
  std::cout << kills << " kills\n";
  expect_same(before, answers(there_, here_.boxes()));
  EXPECT_EQ(there_.sql("SELECT count(*) FROM inventory_diffs WHERE field_path LIKE 'facts.zz%'"), "20000\n");
}

class MoveRefused : public testing::Test {
 protected:
  WebhookReceiver receiver_{"0123456789abcdef0123456789abcdef"};
  Instance here_{receiver_, 2};
  Service there_{EngineKind::servers};
};

TEST_F(MoveRefused, WhereItWouldLoseOrMix) {
  const auto move = [&](const std::string& from) { return there_.cli({"migrate", "--from", from}); };
  auto refused = move(here_.data());
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_THAT(refused.err, HasSubstr("stop it first"));
  EXPECT_EQ(here_.service().stop(), 0);

  refused = move(here_.service().folder() / "elsewhere");
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.err, HasSubstr("collect.db"));

  refused = here_.service().cli({"migrate", "--from", here_.data()});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("DATABASE_URL"));

  there_.redis_cli({"lpush", "collect:processing", "{}"});
  refused = move(here_.data());
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_THAT(refused.err, HasSubstr("processing queue"));
  there_.redis_cli({"del", "collect:processing"});

  there_.start();
  refused = move(here_.data());
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_THAT(refused.err, HasSubstr("uses the database"));
  there_.new_system("Not of the move");
  EXPECT_EQ(there_.stop(), 0);
  refused = move(here_.data());
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_THAT(refused.err, HasSubstr("has rows"));
  EXPECT_EQ(there_.sql("SELECT count(*) FROM systems"), "1\n");
}

}  // namespace
}  // namespace collect::test
