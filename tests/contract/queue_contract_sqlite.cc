// SPDX-License-Identifier: Apache-2.0
// The queue's contract on the embedded engine, and what only that has.
#include "backend/sqlite/database.h"
#include "backend/sqlite/migrations.h"
#include "backend/sqlite/sqlite_queue.h"
#include "contract/queue_contract.h"
#include "support/process.h"

namespace collect::queue::test {
namespace {

using testing::ElementsAre;

// A queue with a file's connections of its own, as another process has them.
class OwnedQueue final : public Queue {
 public:
  OwnedQueue(std::unique_ptr<sqlite::Database> database, const QueueSettings& settings)
      : database_(std::move(database)),
        queue_(*database_, clock_, {.max_depth = settings.max_depth, .lease = settings.lease}) {}
  Result<void> enqueue(Stage stage, std::span<const std::string> texts) override {
    return queue_.enqueue(stage, texts);
  }
  Result<Claim> claim(Stage stage, const WorkerId& who, ClaimLimits limits) override {
    return queue_.claim(stage, who, limits);
  }
  Result<bool> renew(Stage stage, const WorkerId& who) override { return queue_.renew(stage, who); }
  Result<Settled> settle(Stage stage, const WorkerId& who, const Settlement& settlement) override {
    return queue_.settle(stage, who, settlement);
  }
  Result<int> strike(Stage stage, std::string_view text, std::string_view attempt) override {
    return queue_.strike(stage, text, attempt);
  }
  Result<void> absolve(Stage stage, std::string_view text) override { return queue_.absolve(stage, text); }
  Result<std::uint64_t> upkeep(Stage stage) override { return queue_.upkeep(stage); }
  Result<Depth> depth(Stage stage) override { return queue_.depth(stage); }
  Result<std::vector<std::string>> peek(Stage stage, Part part, std::size_t limit) override {
    return queue_.peek(stage, part, limit);
  }
  Result<bool> take_dead(Stage stage, std::string_view text, std::optional<std::string_view> ready) override {
    return queue_.take_dead(stage, text, ready);
  }

  sqlite::Database& database() { return *database_; }

 private:
  std::unique_ptr<sqlite::Database> database_;
  SystemClock clock_;
  sqlite::SqliteQueue queue_;
};

class SqliteEngine final : public Engine {
 public:
  std::unique_ptr<Queue> open(const QueueSettings& settings) override { return open_owned(settings); }
  std::unique_ptr<OwnedQueue> open_owned(const QueueSettings& settings) {
    auto database = must(sqlite::Database::open(folder_.path() / "collect.db", {}));
    must(sqlite::migrate(*database));
    return std::make_unique<OwnedQueue>(std::move(database), settings);
  }

 private:
  collect::test::TempDir folder_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, QueueContract,
                         testing::Values(EngineCase{"sqlite",
                                                    [] { return std::make_unique<SqliteEngine>(); }}),
                         [](const auto& engine) { return engine.param.name; });

TEST(SqliteQueueTest, KeepsEverythingOverReopening) {
  SqliteEngine engine;
  {
    const auto queue = engine.open({});
    put(*queue, {"a", "b", "c"});
    taken(*queue, worker("w"), {.messages = 1});
  }
  const auto queue = engine.open({});
  EXPECT_THAT(numbers(*queue), ElementsAre(2, 1, 0, 0));
  EXPECT_THAT(taken(*queue, worker("w")), ElementsAre("a"));
  EXPECT_EQ(settle(*queue, worker("w")), Settled::done);
  EXPECT_THAT(taken(*queue, worker("w")), ElementsAre("b", "c"));
}

TEST(SqliteQueueTest, LeavesNoTextBehind) {
  SqliteEngine engine;
  const auto queue = engine.open_owned({});
  put(*queue, {"a", "b"});
  taken(*queue, worker("w"));
  settle(*queue, worker("w"), {.dead = {"b"}});
  const auto counted = queue->database().read([](sqlite::Snapshot& snapshot) {
    auto row = snapshot.query("SELECT count(*), (SELECT count(*) FROM queue_leases) FROM queue_messages");
    row.next();
    return std::vector<std::int64_t>{row.int64(0), row.int64(1)};
  });
  EXPECT_THAT(must(counted), ElementsAre(1, 0));
}

// A scan would grow with the queue. The best of some rounds: others use the disk, too.
TEST(SqliteQueueTest, CostsDoNotGrowWithDepth) {
  SqliteEngine engine;
  const auto queue = engine.open_owned({.max_depth = 1000000});
  const auto best_round = [&] {
    auto best = std::chrono::steady_clock::duration::max();
    for (int round = 0; round < 10; ++round) {
      const auto begin = std::chrono::steady_clock::now();
      for (int i = 0; i < 5; ++i) {
        put(*queue, {text_of("s", i)});
        taken(*queue, worker("w"), {.messages = 1});
        settle(*queue, worker("w"));
      }
      best = std::min(best, std::chrono::steady_clock::now() - begin);
    }
    return best;
  };
  const auto shallow = best_round();
  Texts many;
  for (int i = 0; i < 50000; ++i) many.push_back(text_of("deep", i));
  put(*queue, many);
  EXPECT_LT(best_round(), shallow * 10 + std::chrono::milliseconds(50));
}

}  // namespace
}  // namespace collect::queue::test
