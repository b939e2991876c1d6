// SPDX-License-Identifier: Apache-2.0
#include "support/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <thread>

#include "support/http_client.h"
#include "support/watcher.h"

namespace collect::test {
namespace {

bool port_is_free(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return free;
}

// For the life of this program no other test program gets the same: a service that is started later, or once
// more, has to find it free. A name without a file (unix(7), abstract) goes with its process.
bool reserve(int port) {
  const std::string name = "collect-test-port-" + std::to_string(port);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0) return true;
  close(fd);
  return false;
}

// Below those that the kernel gives to outgoing connections.
int last_port() {
  std::ifstream range("/proc/sys/net/ipv4/ip_local_port_range");
  int first = 0;
  return range >> first && first > 20000 ? std::min(first - 1, 31999) : 31999;
}

std::vector<std::string> environment_lines(const ProcessOptions& options) {
  std::map<std::string, std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view line(*entry);
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const auto name = line.substr(0, equals);
    if (options.inherit_environment || name == "PATH" || name == "HOME")
      all[std::string(name)] = line.substr(equals + 1);
  }
  for (const auto& [name, value] : options.environment) all[name] = value;
  std::vector<std::string> lines;
  for (const auto& [name, value] : all) lines.push_back(name + "=" + value);
  return lines;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// What the child does between fork and exec: system calls only, everything was allocated before.
struct Launch {
  std::vector<std::string> command;
  std::vector<std::string> environment;
  std::string directory, input, out, err;
  bool change_user = false;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<char*> argv, envp;

  void prepare() {
    argv = pointers(command);
    envp = pointers(environment);
  }

  [[noreturn]] void go() const {
    setpgid(0, 0);
    // What a test program ignores or blocks must not be inherited.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    std::signal(SIGPIPE, SIG_DFL);
    const int in_fd = open(input.c_str(), O_RDONLY);
    const int out_fd = open(out.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    const int err_fd = open(err.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (in_fd < 0 || out_fd < 0 || err_fd < 0) _exit(126);
    dup2(in_fd, STDIN_FILENO);
    dup2(out_fd, STDOUT_FILENO);
    dup2(err_fd, STDERR_FILENO);
    // The test program's other descriptors are not the child's business (sockets would stay open).
    close_range(3, ~0U, 0);
    if (!directory.empty() && chdir(directory.c_str()) != 0) _exit(126);
    if (change_user && (setgroups(1, &gid) != 0 || setgid(gid) != 0 || setuid(uid) != 0)) _exit(126);
    execvpe(argv[0], argv.data(), envp.data());
    _exit(127);
  }
};

}  // namespace

void sleep_for(milliseconds time) {
  std::this_thread::sleep_for(time);
}

TempDir::TempDir() {
  const char* base = std::getenv("TMPDIR");
  // Sockets live in these folders and their paths end at 107 bytes.
  std::string name = (base != nullptr && std::strlen(base) < 60) ? base : "/tmp";
  name += "/collect-test-XXXXXX";
  if (mkdtemp(name.data()) == nullptr)
    throw std::runtime_error("cannot create a temporary folder like " + name);
  path_ = name;
  watch_folder(path_);
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
  forget_folder(path_);
}

std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder) {
  for (int look = 0; look < 1000; ++look) {
    std::vector<std::filesystem::path> files;
    std::error_code gap;
    for (std::filesystem::recursive_directory_iterator entry(folder, gap), end; !gap && entry != end;
         entry.increment(gap)) {
      if (entry->is_regular_file(gap)) files.push_back(entry->path());
      if (gap) break;
    }
    if (!gap) return files;
    if (look == 0 && !std::filesystem::exists(folder)) return {};
  }
  throw std::runtime_error("cannot look through " + folder.string() + " while it changes");
}

int free_port() {
  static thread_local std::mt19937 random(std::random_device{}());
  std::uniform_int_distribution<int> ports(15000, last_port());
  for (int tries = 0; tries < 200; ++tries) {
    const int port = ports(random);
    if (reserve(port) && port_is_free(port)) return port;
  }
  throw std::runtime_error("found no free TCP port from 15000 to " + std::to_string(last_port()) +
                           " on 127.0.0.1");
}

std::string read_text(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::filesystem::path collect_binary() {
  std::filesystem::path path = COLLECT_BINARY;
  if (!std::filesystem::exists(path)) {
    throw std::runtime_error("no program at " + path.string() + ": build the target `collect` first");
  }
  return path;
}

Process::Process(ProcessOptions options) : at_end_(std::move(options.at_end)) {
  if (options.command.empty()) throw std::runtime_error("no command to run");
  Launch launch;
  launch.environment = environment_lines(options);
  launch.directory = options.directory.string();
  launch.input = "/dev/null";
  if (!options.input.empty()) {
    launch.input = files_.path() / "in";
    std::ofstream(launch.input, std::ios::binary) << options.input;
  }
  launch.out = files_.path() / "out";
  launch.err = files_.path() / "err";
  if (!options.user.empty()) {
    const passwd* entry = getpwnam(options.user.c_str());
    if (entry == nullptr) throw std::runtime_error("there is no user " + options.user);
    launch.change_user = true;
    launch.uid = entry->pw_uid;
    launch.gid = entry->pw_gid;
  }
  const std::string program = options.command.front();
  launch.command = std::move(options.command);
  launch.prepare();
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("cannot start a process for " + program);
  if (pid_ == 0) launch.go();
  setpgid(pid_, pid_);  // both sides do it, whoever comes first
  watch_process(pid_);
}

Process::~Process() {
  if (at_end_) at_end_(*this);
  kill_hard();
}

bool Process::reap(bool block) {
  if (exit_code_) return true;
  int status = 0;
  pid_t got = 0;
  do {
    got = waitpid(pid_, &status, block ? 0 : WNOHANG);
  } while (got < 0 && errno == EINTR);
  if (got == 0) return false;
  exit_code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  forget_process(pid_);
  return true;
}

bool Process::running() {
  return !reap(false);
}

void Process::signal(int number) {
  if (running()) kill(pid_, number);
}

void Process::pause() {
  signal(SIGSTOP);
  siginfo_t what;
  // An end is left for reap() to find.
  while (waitid(P_PID, static_cast<id_t>(pid_), &what, WSTOPPED | WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
}

std::optional<int> Process::wait_exit(milliseconds timeout) {
  eventually([this] { return reap(false); }, timeout);
  return exit_code_;
}

int Process::stop(milliseconds timeout, int number) {
  signal(number);
  if (!wait_exit(timeout)) kill_hard();
  return *exit_code_;
}

void Process::kill_hard() {
  if (exit_code_) return;
  kill(-pid_, SIGKILL);
  reap(true);
}

std::string Process::out() const {
  return read_text(files_.path() / "out");
}
std::string Process::err() const {
  return read_text(files_.path() / "err");
}

bool Process::wait_for_output(std::string_view text, milliseconds timeout) {
  const auto there = [&] {
    return (out().find(text) != std::string::npos) || (err().find(text) != std::string::npos);
  };
  bool ended = false;
  eventually([&] { return there() || (ended = !running()); }, timeout);
  return there();
}

bool Process::wait_for_http(int port, std::string_view target, milliseconds timeout) {
  bool answered = false;
  eventually(
      [&] {
        try {
          answered = HttpClient(port).get(std::string(target)).status < 500;
        } catch (const std::runtime_error&) {
          answered = false;  // not listening yet
        }
        return answered || !running();
      },
      timeout);
  return answered;
}

ProcessResult run(ProcessOptions options, milliseconds timeout) {
  const std::string program = options.command.empty() ? "" : options.command.front();
  Process process(std::move(options));
  const auto code = process.wait_exit(timeout);
  if (!code) throw std::runtime_error(program + " did not end in time; it said: " + process.err());
  return {*code, process.out(), process.err()};
}

}  // namespace collect::test
