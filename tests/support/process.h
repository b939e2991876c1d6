// SPDX-License-Identifier: Apache-2.0
// Child processes for tests: started, watched, signalled and, whatever happens to the test, ended. A small
// watcher process outlives the test program just long enough to kill what it left and to remove its temporary
// folders, so a crash or a kill -9 leaves nothing behind. Everything here throws std::runtime_error with a
// sentence that says what was missing; GoogleTest reports that as a failure. One Process belongs to one
// thread at a time.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace collect::test {

using std::chrono::milliseconds;

// A fresh folder under $TMPDIR (or /tmp) that goes with the object.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A TCP port on 127.0.0.1 where nobody listens now, below the range that outgoing connections use. No other
// test program gets it for the life of this one.
int free_port();

// Asks `condition` every few milliseconds until it holds; false when `timeout` passed first.
template <class Condition>
bool eventually(Condition condition, milliseconds timeout = std::chrono::seconds(60));

// The whole file as text; empty when it is not there.
std::string read_text(const std::filesystem::path& file);

// All regular files below it. Others may delete there meanwhile: it looks until one look meets no gap.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder);

// The `collect` program of this build. Throws when it has not been built.
std::filesystem::path collect_binary();

struct ProcessOptions {
  std::vector<std::string> command;  // program (a path, or a name looked up in PATH) and its arguments
  std::map<std::string, std::string> environment = {};  // added to what is inherited
  bool inherit_environment = true;                      // false: only PATH, HOME and `environment`
  std::filesystem::path directory = {};                 // where it runs; empty: here
  std::string input = {};                               // given to it as standard input
  std::string user = {};                                // run as that user (needs root); empty: as we are
  std::function<void(class Process&)> at_end = {};      // looks at it before the destructor kills it
};

struct ProcessResult {
  int exit_code = 0;  // 128 + signal when a signal ended it
  std::string out;
  std::string err;
};

// One child in a process group of its own. Its output goes to files. Killed, group and all, by the
// destructor.
class Process {
 public:
  explicit Process(ProcessOptions options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running();
  void signal(int number);
  // SIGSTOP, and returns when none of its threads runs any more. SIGCONT lets it go on.
  void pause();
  // The exit code (128 + signal), or nothing when it still runs after `timeout`.
  std::optional<int> wait_exit(milliseconds timeout = std::chrono::seconds(30));
  // SIGTERM, then SIGKILL once `timeout` has passed; the exit code.
  int stop(milliseconds timeout = std::chrono::seconds(30), int number = 15);
  // SIGKILL to the whole group, and waits until it is gone.
  void kill_hard();

  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;
  // True once standard output or error contains `text`; false when it ended or `timeout` passed first.
  bool wait_for_output(std::string_view text, milliseconds timeout = std::chrono::seconds(60));
  // True once GET http://127.0.0.1:<port><target> answers with any status below 500.
  bool wait_for_http(int port, std::string_view target = "/api/health",
                     milliseconds timeout = std::chrono::seconds(60));

 private:
  bool reap(bool block);

  std::function<void(Process&)> at_end_;
  TempDir files_;
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

// Runs a command to its end. Throws when it takes longer than `timeout`.
ProcessResult run(ProcessOptions options, milliseconds timeout = std::chrono::seconds(60));

void sleep_for(milliseconds time);

template <class Condition>
bool eventually(Condition condition, milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    sleep_for(milliseconds(5));
  }
  return true;
}

}  // namespace collect::test
