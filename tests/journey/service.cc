// SPDX-License-Identifier: Apache-2.0
#include "journey/service.h"

#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <random>
#include <sstream>
#include <stdexcept>

#include "support/http_client.h"

namespace collect::test {
namespace {

// Sanitizers and coverage are told where to write by the environment.
constexpr const char* kInherited[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS",
                                      "LSAN_OPTIONS", "GCOV_PREFIX",   "TMPDIR"};
constexpr std::chrono::seconds kStart{60};
constexpr std::chrono::seconds kCommand{60};

std::optional<std::int64_t> maybe_number(const json::Value& object, std::string_view key) {
  const json::Value* value = object.find(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return json::to_int64(value->text);
}

std::int64_t number(const json::Value& object, std::string_view key) {
  const auto value = maybe_number(object, key);
  if (!value) throw std::runtime_error("no number " + std::string(key) + " in " + json::to_text(object));
  return *value;
}

// The one database of this program, as good as new. A database for each test would be some megabytes each,
// and deleting those takes longer than all the rest.
std::string emptied_database() {
  PostgresServer& server = PostgresServer::shared();
  static const std::string url = server.new_database();
  server.sql(
      url,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
      "pg_backend_pid(); SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA "
      "public");
  return url;
}

}  // namespace

std::string name_of(EngineKind engine) {
  return engine == EngineKind::embedded ? "embedded" : "servers";
}

json::Document parsed(const std::string& text) {
  auto document = json::Document::parse(text);
  if (!document) throw std::runtime_error("no JSON (" + document.failure().message + "): " + text);
  return *std::move(document);
}

std::string text_of(const json::Value& object, std::string_view key) {
  const json::Value* value = object.find(key);
  if (value == nullptr) throw std::runtime_error("no " + std::string(key) + " in " + json::to_text(object));
  return value->is_string() ? std::string(value->text) : json::to_text(*value);
}

std::vector<std::string> keys_of(const json::Value& object) {
  std::vector<std::string> keys;
  for (const json::Member& member : object.members) keys.emplace_back(member.key);
  return keys;
}

Service::Service(EngineKind engine, Environment settings, Servers servers)
    : engine_(engine), port_(free_port()), environment_(std::move(settings)) {
  environment_["LISTEN_ADDRESS"] = "127.0.0.1:" + std::to_string(port_);
  environment_.try_emplace("LOG_LEVEL", "warn");
  for (const char* name : kInherited) {
    if (const char* value = std::getenv(name)) environment_.try_emplace(name, value);
  }
  if (engine == EngineKind::embedded) {
    environment_["COLLECT_DATA_DIR"] = folder_.path() / "data";
    return;
  }
  if (servers == Servers::own) own_postgres_ = std::make_unique<PostgresServer>();
  if (servers != Servers::shared) own_redis_ = std::make_unique<RedisServer>();
  redis().flush();
  environment_["DATABASE_URL"] = own_postgres_ ? own_postgres_->new_database() : emptied_database();
  environment_["REDIS_URL"] = redis().url();
}

void expect_no_crash(Process& process) {
  const auto code = process.wait_exit(milliseconds(0));
  if (!code) return;
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE})
    EXPECT_NE(*code, 128 + signal) << "it crashed";
  const std::string said = process.err();
  // Where memory is short on purpose, the address sanitizer ends a process that has none.
  for (const char* words : {"out of memory", "out-of-memory", "AddressSanitizer failed to allocate"})
    if (said.find(words) != std::string::npos) return;
  for (const char* finding :
       {"ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", ": runtime error: "})
    EXPECT_EQ(said.find(finding), std::string::npos) << said;
}

Service::~Service() {
  if (process_) {
    expect_no_crash(*process_);
    process_->kill_hard();
  }
  if (testing::Test::HasFailure()) std::cerr << "---- the service's log ----\n" << log() << "----\n";
}

void Service::start(std::vector<std::string> arguments) {
  if (process_) {
    expect_no_crash(*process_);
    earlier_log_ += process_->err();
  }
  stopped_ = false;
  const bool worker = std::find(arguments.begin(), arguments.end(), "worker") != arguments.end();
  arguments.insert(arguments.begin(), "serve");
  process_ = launch(std::move(arguments));
  ++starts_;
  const bool up = worker ? process_->wait_for_output("engine", kStart)
                         : process_->wait_for_http(port_, "/api/health/live", kStart) &&
                               process_->wait_for_output("listening", kStart);  // its banner
  if (!up) throw std::runtime_error("collect serve does not answer; it said: " + process_->err());
}

int Service::stop(milliseconds timeout) {
  signalled_ = stopped_ = true;
  return process_->stop(timeout);
}

void Service::kill_hard() {
  signalled_ = true;
  expect_no_crash(*process_);
  process_->kill_hard();
}

void Service::signal(int number) {
  signalled_ = true;
  process_->signal(number);
}

bool Service::running() {
  return process_ && process_->running();
}

std::optional<int> Service::exit_code() {
  return process_ ? process_->wait_exit(milliseconds(0)) : std::nullopt;
}

std::string Service::log() const {
  return earlier_log_ + (process_ ? process_->err() : "");
}

std::unique_ptr<Process> Service::launch(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), program_);
  return std::make_unique<Process>(ProcessOptions{.command = std::move(arguments),
                                                  .environment = environment_,
                                                  .inherit_environment = false,
                                                  .directory = folder_.path(),
                                                  .at_end = expect_no_crash});
}

ProcessResult Service::cli(std::vector<std::string> arguments) const {
  const std::string command = arguments.front();
  const auto process = launch(std::move(arguments));
  const auto code = process->wait_exit(kCommand);
  if (!code) {
    throw std::runtime_error("collect " + command + " did not end; it said: " + process->out() +
                             process->err());
  }
  return {*code, process->out(), process->err()};
}

std::string Service::cli_output(std::vector<std::string> arguments) const {
  std::string line = "collect";
  for (const std::string& argument : arguments) line += " " + argument;
  const ProcessResult result = cli(std::move(arguments));
  if (result.exit_code != 0) {
    throw std::runtime_error(line + " ended with " + std::to_string(result.exit_code) + ": " + result.err);
  }
  return result.out;
}

std::string Service::organization() {
  if (organization_.empty()) {
    const auto made = parsed(cli_output({"org", "create", "--name", "Example Ltd", "--json"}));
    organization_ = text_of(made.root(), "id");
  }
  return organization_;
}

Login Service::new_system(const std::string& name, std::vector<std::string> flags) {
  std::vector<std::string> words = {"system", "create", "--org", organization(), "--name", name, "--json"};
  words.insert(words.end(), flags.begin(), flags.end());
  const auto made = parsed(cli_output(std::move(words)));
  return {text_of(made.root(), "id"), text_of(made.root(), "system_key"),
          text_of(made.root(), "system_secret")};
}

std::vector<DiffRow> Service::diffs(const Login& system) const {
  const auto list = parsed(cli_output({"inventory", "diffs", system.key, "--all", "--json"}));
  std::vector<DiffRow> rows;
  for (const json::Value& diff : list.root().elements) {
    rows.push_back({number(diff, "id"), maybe_number(diff, "previous_id"), maybe_number(diff, "current_id"),
                    text_of(diff, "diff_type"), text_of(diff, "field_path"), text_of(diff, "severity"),
                    json::to_text(*diff.find("previous_value")), json::to_text(*diff.find("current_value"))});
  }
  std::reverse(rows.begin(), rows.end());
  return rows;
}

std::vector<RecordRow> Service::history(const Login& system) const {
  const auto list = parsed(cli_output({"inventory", "history", system.key, "--all", "--json"}));
  std::vector<RecordRow> rows;
  for (const json::Value& record : list.root().elements) {
    rows.push_back({number(record, "id"), text_of(record, "timestamp"), text_of(record, "data_hash"),
                    !record.find("processed_at")->is_null(), number(record, "change_count")});
  }
  std::reverse(rows.begin(), rows.end());
  return rows;
}

double metric_at(int port, std::string_view name, const std::vector<std::string>& labels) {
  HttpClient client(port);
  std::istringstream lines(client.get("/metrics").body);
  double sum = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name) || line.find_first_of("{ ") != name.size()) continue;
    const bool wanted = std::all_of(labels.begin(), labels.end(), [&](const std::string& label) {
      return line.find(label) != std::string::npos;
    });
    if (wanted) sum += std::strtod(line.c_str() + line.rfind(' '), nullptr);
  }
  return sum;
}

// The queues themselves are asked, at one moment: the service's own reading may be some seconds old.
bool Service::queues_empty() {
  if (engine_ == EngineKind::servers) {
    return redis_cli({"eval",
                      "local n = #redis.call('keys', '*:claim:*') for i = 1, 3 do "
                      "n = n + redis.call('llen', KEYS[i]) + redis.call('zcard', KEYS[i] .. ':delayed') end "
                      "return n",
                      "3", "collect:inventory", "collect:processing", "collect:notifications"}) == "0";
  }
  return sql("SELECT count(*) FROM queue_messages WHERE state <> 'dead'") == "0\n";
}

std::uint64_t Service::dead_letters() {
  if (engine_ == EngineKind::servers) {
    std::uint64_t letters = 0;
    for (const char* queue :
         {"collect:inventory:dead", "collect:processing:dead", "collect:notifications:dead"}) {
      letters += std::stoull(redis_cli({"llen", queue}));
    }
    return letters;
  }
  return static_cast<std::uint64_t>(metric("collect_queue_messages", {"state=\"dead\""}));
}

void Service::kill_without_condemning(Process& process) {
  signalled_ = true;
  const auto strikes = [this] {
    if (engine_ == EngineKind::embedded) return sql("SELECT count(*) FROM queue_strikes") != "0\n";
    return redis_cli({"exists", "collect:inventory:strikes", "collect:processing:strikes",
                      "collect:notifications:strikes"}) != "0";
  };
  // It stands still while we look: between a look and the kill it could strike one more.
  std::string unseen;
  const auto nothing_struck = [&] {
    if (strikes()) return false;
    process.pause();
    try {
      if (!strikes()) return true;
    } catch (const std::runtime_error& error) {
      // Where it came to stand it may hold one of SQLite's locks, which keeps everybody else from looking.
      unseen = error.what();
    }
    process.signal(SIGCONT);
    return false;
  };
  EXPECT_TRUE(eventually(nothing_struck, std::chrono::minutes(1))) << "strikes that stay; " << unseen;
  expect_no_crash(process);
  process.kill_hard();
}

PostgresServer& Service::postgres() {
  return own_postgres_ ? *own_postgres_ : PostgresServer::shared();
}

RedisServer& Service::redis() {
  return own_redis_ ? *own_redis_ : RedisServer::shared();
}

std::string Service::redis_cli(std::vector<std::string> words, std::string_view input) {
  words.insert(words.begin(), {"-n", "1"});
  return redis().cli(std::move(words), input);
}

std::string Service::sql(const std::string& text) {
  if (engine_ == EngineKind::servers) return postgres().sql(environment_.at("DATABASE_URL"), text);
  const std::filesystem::path file =
      std::filesystem::path(environment_.at("COLLECT_DATA_DIR")) / "collect.db";
  auto done = run({.command = {"/usr/bin/sqlite3", "-cmd", ".timeout 5000", file, text}});
  if (done.exit_code != 0) throw std::runtime_error(done.err + "in: " + text);
  return done.out;
}

void expect_single_effects(Service& service) {
  const auto number = [&](const char* sql) { return std::stoull(service.sql(sql)); };
  const auto stored = number("SELECT count(*) FROM processed_messages WHERE outcome = 'stored'");
  EXPECT_EQ(number("SELECT count(*) FROM inventory_records"), stored)
      << "a record for each message that made one";
  EXPECT_EQ(number("SELECT count(DISTINCT record_id) FROM processed_messages WHERE outcome = 'stored'"),
            stored);
  EXPECT_EQ(number("SELECT count(*) FROM (SELECT DISTINCT current_id, field_path FROM inventory_diffs) AS d"),
            number("SELECT count(*) FROM inventory_diffs"))
      << "a change of a record is told once";
  EXPECT_EQ(number("SELECT count(*) FROM (SELECT DISTINCT diff_id, rule FROM inventory_alerts"
                   " WHERE diff_id IS NOT NULL) AS a"),
            number("SELECT count(*) FROM inventory_alerts WHERE diff_id IS NOT NULL"))
      << "an alert of a rule and a change is raised once";
}

}  // namespace collect::test
