// SPDX-License-Identifier: Apache-2.0
#include "support/watcher.h"

#include <fcntl.h>
#include <unistd.h>

#include <mutex>
#include <stdexcept>
#include <string>

namespace collect::test {
namespace {

// Reads orders from a pipe. The pipe ends when the test program ends, since every child closes it on exec;
// then the asked-for order: first politely (INT is the quick clean stop of PostgreSQL, Redis and Collect),
// then hard.
constexpr const char* kScript = R"(
pids=' ' folders=' '
while read -r order what; do
  case $order in
    p) pids="$pids$what " ;;
    P) pids="${pids%% $what *} ${pids#* $what }" ;;
    f) folders="$folders$what " ;;
    F) folders="${folders%% $what *} ${folders#* $what }" ;;
  esac
done
left=
for pid in $pids; do kill -INT "$pid" 2>/dev/null && left="$left $pid"; done
if [ -n "$left" ]; then
  sleep 0.5
  for pid in $left; do kill -KILL "-$pid" 2>/dev/null; done
fi
for folder in $folders; do rm -rf "$folder"; done
)";

// One pipe for the program's life; closed by the kernel.
class Watcher {
 public:
  Watcher() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe for the test watcher");
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error("no process for the test watcher");
    if (child == 0) {
      // A session of its own: neither Ctrl-C nor a kill of the test's process group may reach it.
      setsid();
      dup2(ends[0], STDIN_FILENO);
      // Whoever waits for our output to end (ctest does) must not wait for the watcher.
      const int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
      dup2(nothing, STDOUT_FILENO);
      dup2(nothing, STDERR_FILENO);
      execl("/bin/sh", "sh", "-c", kScript, nullptr);
      _exit(127);
    }
    close(ends[0]);
    pipe_ = ends[1];
  }

  void tell(char order, const std::string& what) {
    const std::string line = std::string(1, order) + " " + what + "\n";
    const std::lock_guard lock(mutex_);
    if (write(pipe_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
      throw std::runtime_error("the test watcher is gone");
    }
  }

 private:
  std::mutex mutex_;
  int pipe_ = -1;  // guarded by mutex_
};

// Never destroyed: objects that end after main() still speak to it.
Watcher& watcher() {
  static auto* const instance = new Watcher;
  return *instance;
}

}  // namespace

void watch_process(pid_t pid) {
  watcher().tell('p', std::to_string(pid));
}
void forget_process(pid_t pid) {
  watcher().tell('P', std::to_string(pid));
}
void watch_folder(const std::filesystem::path& folder) {
  watcher().tell('f', folder.string());
}
void forget_folder(const std::filesystem::path& folder) {
  watcher().tell('F', folder.string());
}

}  // namespace collect::test
