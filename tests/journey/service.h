// SPDX-License-Identifier: Apache-2.0
// One real `collect serve` process with its engine, as an operator sees it: settings, signals, the command
// line, the log. Everything throws std::runtime_error with a sentence when what should work does not.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "support/postgres_server.h"
#include "support/process.h"
#include "support/redis_server.h"

namespace collect::test {

enum class EngineKind { embedded, servers };
std::string name_of(EngineKind engine);  // as tests print it

// The servers that the process uses: those of this test program (with an emptied database and an emptied
// Redis), or some of its own, which a test may stop; `own_redis`: with the shared PostgreSQL.
enum class Servers { shared, own_redis, own };

using Environment = std::map<std::string, std::string>;

// Credentials as `collect system create --json` gave them.
struct Login {
  std::string id;
  std::string key;
  std::string secret;
};

// Throws with the text when it is no JSON.
json::Document parsed(const std::string& text);
// The member as text: a string's content, else the JSON text. Throws when there is none.
std::string text_of(const json::Value& object, std::string_view key);
std::vector<std::string> keys_of(const json::Value& object);

// A row of `inventory diffs --json`; values as JSON texts.
struct DiffRow {
  std::int64_t id = 0;
  std::optional<std::int64_t> previous_id;
  std::optional<std::int64_t> current_id;
  std::string type;
  std::string path;
  std::string severity;
  std::string from;
  std::string to;
};

// A row of `inventory history --json`.
struct RecordRow {
  std::int64_t id = 0;
  std::string timestamp;
  std::string hash;
  bool processed = false;
  std::int64_t change_count = 0;
};

// The sum over the samples of that metric whose labels contain all of `labels`, as who listens there has it.
double metric_at(int port, std::string_view name, const std::vector<std::string>& labels = {});

// Fails the test if this process of Collect has ended by a crash or by what a sanitizer found: a kill that
// comes later would hide it.
void expect_no_crash(Process& process);

// At most one at a time in a program when it uses the shared servers.
class Service {
 public:
  // Does not start it yet. `settings` are added to those that give it a place of its own.
  explicit Service(EngineKind engine, Environment settings = {}, Servers servers = Servers::shared);
  // Ends the process; prints its log when the test has failed.
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // `collect serve` with these arguments; returns once it answers (role worker: once it says its banner).
  void start(std::vector<std::string> arguments = {});
  // From now on another program is started, which answers to the same commands.
  void use_program(std::filesystem::path program) { program_ = std::move(program); }
  // SIGTERM; the exit code.
  int stop(milliseconds timeout = std::chrono::seconds(60));
  void kill_hard();
  void signal(int number);
  [[nodiscard]] bool running();
  // Of the one that was started last, once it has ended; 128 + signal when one ended it.
  [[nodiscard]] std::optional<int> exit_code();
  [[nodiscard]] pid_t pid() const { return process_->pid(); }
  [[nodiscard]] Process& process() { return *process_; }  // until the next start

  [[nodiscard]] EngineKind engine() const { return engine_; }
  [[nodiscard]] int port() const { return port_; }
  // For the next start and the next command.
  Environment& settings() { return environment_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  // What it logged since the first start.
  [[nodiscard]] std::string log() const;
  // What the running one printed on standard output.
  [[nodiscard]] std::string banner() const { return process_->out(); }

  // The same program with the same settings, as another process.
  [[nodiscard]] ProcessResult cli(std::vector<std::string> arguments) const;
  [[nodiscard]] std::unique_ptr<Process> launch(std::vector<std::string> arguments) const;
  // Standard output of a command that has to succeed.
  std::string cli_output(std::vector<std::string> arguments) const;

  // In one organization, made at the first call. `flags` as `collect system create` has them.
  Login new_system(const std::string& name = "Box", std::vector<std::string> flags = {});
  std::string organization();

  // Oldest first.
  [[nodiscard]] std::vector<DiffRow> diffs(const Login& system) const;
  [[nodiscard]] std::vector<RecordRow> history(const Login& system) const;

  [[nodiscard]] double metric(std::string_view name, const std::vector<std::string>& labels = {}) const {
    return metric_at(port_, name, labels);
  }
  // Nothing is ready, claimed or delayed in any queue (of the default names).
  [[nodiscard]] bool queues_empty();
  [[nodiscard]] int starts() const { return starts_; }
  // A test sent the service a signal: who asked it something meanwhile may have got no answer.
  [[nodiscard]] bool signalled() const { return signalled_; }
  // stop() was called since the last start.
  [[nodiscard]] bool stopped() const { return stopped_; }
  [[nodiscard]] std::uint64_t dead_letters();
  // Kills it (SIGKILL) once nothing bears a strike: whatever it held at its last two ends is done, so that no
  // message becomes a dead letter for having been in hand at three.
  void kill_without_condemning() { kill_without_condemning(*process_); }
  // The same for one that was launched beside it: nothing bears a strike from any of them.
  void kill_without_condemning(Process& process);

  // Behind the program's back, on either engine; rows as lines, columns separated by '|'.
  std::string sql(const std::string& text);
  // Engine `servers` only.
  PostgresServer& postgres();
  RedisServer& redis();
  std::string redis_cli(std::vector<std::string> words, std::string_view input = {});

 private:
  int starts_ = 0;
  bool signalled_ = false;
  bool stopped_ = false;
  EngineKind engine_;
  TempDir folder_;
  std::unique_ptr<PostgresServer> own_postgres_;
  std::unique_ptr<RedisServer> own_redis_;
  int port_ = 0;
  Environment environment_;
  std::string organization_;
  std::filesystem::path program_ = collect_binary();
  std::unique_ptr<Process> process_;
  std::string earlier_log_;
};

// One that is started as soon as it is there.
struct RunningService : Service {
  explicit RunningService(EngineKind engine, Environment settings = {}, Servers servers = Servers::shared)
      : Service(engine, std::move(settings), servers) {
    start();
  }
};

// Tests that hold on both engines.
class OnEachEngine : public testing::TestWithParam<EngineKind> {};
#define COLLECT_ON_EACH_ENGINE(Suite)                                                           \
  INSTANTIATE_TEST_SUITE_P(, Suite, testing::Values(EngineKind::embedded, EngineKind::servers), \
                           [](const auto& each) { return name_of(each.param); })

// However often a message came: one record for each that made one, and each of its changes once. Needs a
// service that has nothing in hand, and records that were never pruned.
void expect_single_effects(Service& service);

}  // namespace collect::test
