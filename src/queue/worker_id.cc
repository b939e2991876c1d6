// SPDX-License-Identifier: Apache-2.0
#include "queue/worker_id.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>

namespace collect::queue {
namespace {

std::string first_line(const std::string& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

std::string without_colons(std::string text) {
  std::replace(text.begin(), text.end(), ':', '_');
  return text;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return without_colons(name.data());
}

// Field 22 of /proc/<pid>/stat (proc(5)), in clock ticks since the boot; empty when there is no such process.
// The program's name, in parentheses, may hold anything, so counting starts after its end.
std::string start_time(pid_t pid) {
  const std::string line = first_line(fmt::format("/proc/{}/stat", pid));
  const auto end = line.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream fields(line.substr(end + 1));
  std::string field;
  for (int number = 3; number <= 22; ++number) fields >> field;
  return field;
}

// Process numbers of one boot mean different processes in different containers.
std::string pid_namespace() {
  std::array<char, 64> link{};
  const auto length = readlink("/proc/self/ns/pid", link.data(), link.size());
  if (length <= 0) return "0";
  std::string digits(link.data(), static_cast<std::size_t>(length));
  std::erase_if(digits, [](char c) { return c < '0' || c > '9'; });
  return digits;
}

const std::string& boot_id() {
  static const std::string id = first_line("/proc/sys/kernel/random/boot_id");
  return id;
}

struct Parts {
  std::string_view host;
  std::string_view process;
  std::string_view boot;
};

std::optional<Parts> split(std::string_view worker) {
  std::array<std::string_view, 3> parts;
  for (auto& part : parts) {
    const auto colon = worker.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    part = worker.substr(0, colon);
    worker.remove_prefix(colon + 1);
  }
  return Parts{parts[0], parts[1], parts[2]};
}

}  // namespace

// The process is "<pid>-<start time>-<pid namespace>", so that a number that was given out again is told
// apart.
WorkerId this_worker(std::string_view thread) {
  return {fmt::format("{}:{}-{}-{}:{}:{}", host_name(), getpid(), start_time(getpid()), pid_namespace(),
                      boot_id(), without_colons(std::string(thread)))};
}

bool is_gone(std::string_view worker) {
  const auto parts = split(worker);
  if (!parts || parts->host != host_name() || boot_id().empty() || parts->boot != boot_id()) return false;
  const auto first = parts->process.find('-');
  const auto second = parts->process.find('-', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return false;
  if (parts->process.substr(second + 1) != pid_namespace()) return false;
  pid_t pid = 0;
  const auto digits = parts->process.substr(0, first);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), pid);
  if (error != std::errc() || end != digits.data() + digits.size() || pid <= 0) return false;
  if (kill(pid, 0) != 0 && errno == ESRCH) return true;
  const auto started = start_time(pid);
  return !started.empty() && started != parts->process.substr(first + 1, second - first - 1);
}

}  // namespace collect::queue
