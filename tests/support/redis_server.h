// SPDX-License-Identifier: Apache-2.0
// A real Redis 7 of the test's own, on 127.0.0.1, with an append-only file in a temporary folder, so that it
// keeps its data over stop() and kill_hard(). Throws std::runtime_error when it is not installed or does not
// start.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/process.h"

namespace collect::test {

class RedisServer {
 public:
  // `arguments` are added to the command line, e.g. {"--maxmemory", "8mb"}.
  explicit RedisServer(std::vector<std::string> arguments = {});
  ~RedisServer();

  // The one of this test program; flush() before use. Tests of faults start their own.
  static RedisServer& shared();

  [[nodiscard]] std::string url() const;  // "redis://127.0.0.1:<port>"
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

  // redis-cli with these arguments, e.g. {"-n", "1", "llen", "collect:inventory"}; what it printed, without
  // the last newline. Throws when it fails.
  std::string cli(std::vector<std::string> arguments, std::string_view input = {}) const;
  void flush();  // empties every database

  // Again, on the same port, with the data that it had; returns once it answers. `more` arguments and this
  // environment for this time.
  void start(const std::vector<std::string>& more = {}, std::map<std::string, std::string> environment = {});
  [[nodiscard]] bool running() { return process_->running(); }
  void stop();       // SIGTERM: a clean end
  void kill_hard();  // SIGKILL
  void pause();      // SIGSTOP: connected, but silent
  void resume();

 private:
  TempDir folder_;
  std::vector<std::string> arguments_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace collect::test
