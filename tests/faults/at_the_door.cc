// SPDX-License-Identifier: Apache-2.0
#include "faults/at_the_door.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>
#include <stdexcept>

namespace collect::test {
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr auto kRecovery = 3min;  // a slow machine, with sanitizers

fs::path proc(pid_t pid) {
  return fs::path("/proc") / std::to_string(pid);
}

}  // namespace

void Tally::post(Appliance& box, std::string_view body) {
  HttpResponse answer;
  try {
    answer = box.post(body);
  } catch (const std::runtime_error&) {
    box.http().close();
    ++answers[0];
    return;
  }
  ++answers[answer.status];
  if (answer.status == 202) {
    receipts.push_back(text_of(*parsed(answer.body).root().find("data"), "receipt"));
  } else if ((answer.status != 429 && answer.status != 503) || answer.header("Retry-After").empty()) {
    surprises.push_back(std::to_string(answer.status) + " " + answer.body);
  }
}

void Tally::add(const Tally& other) {
  for (const auto& [status, count] : other.answers) answers[status] += count;
  receipts.insert(receipts.end(), other.receipts.begin(), other.receipts.end());
  surprises.insert(surprises.end(), other.surprises.begin(), other.surprises.end());
}

std::size_t Tally::sum() const {
  std::size_t all = 0;
  for (const auto& [status, count] : answers) all += count;
  return all;
}

std::size_t Tally::of(int status) const {
  const auto found = answers.find(status);
  return found == answers.end() ? 0 : found->second;
}

std::string Tally::text() const {
  std::string out;
  for (const auto& [status, count] : answers) {
    out += (out.empty() ? "" : ", ") + std::to_string(count) + " x " + std::to_string(status);
  }
  return out;
}

long Vitals::resident_mb() const {
  std::ifstream status(proc(pid) / "status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stol(line.substr(6)) / 1024;
  }
  throw std::runtime_error("no process " + std::to_string(pid));
}

std::chrono::milliseconds Vitals::cpu_time() const {
  const std::string text = read_text(proc(pid) / "stat");
  std::istringstream rest(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int field = 3; field < 14; ++field) rest >> skipped;
  long user = 0;
  long system = 0;
  rest >> user >> system;
  return std::chrono::milliseconds((user + system) * 1000 / sysconf(_SC_CLK_TCK));
}

std::size_t Vitals::descriptors() const {
  const fs::directory_iterator files(proc(pid) / "fd");
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

Sockets::~Sockets() {
  close_all();
}

void Sockets::open(std::size_t count, std::string_view first, int receive_buffer) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (std::size_t i = 0; i < count; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    sockets_.push_back(fd);
    if (receive_buffer > 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
    if (!first.empty()) (void)send(fd, first.data(), first.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
}

void Sockets::close_all() {
  for (const int fd : sockets_) close(fd);
  sockets_.clear();
}

std::size_t Sockets::ended() {
  std::size_t count = 0;
  char bytes[4096];
  for (const int fd : sockets_) {
    ssize_t got = 0;
    do {
      got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    } while (got > 0);
    if (got == 0 || errno != EAGAIN) ++count;
  }
  return count;
}

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) throw std::runtime_error("no RLIMIT_NOFILE");
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) throw std::runtime_error("RLIMIT_NOFILE stays");
  return limit.rlim_cur;
}

void Faults::start(Environment settings) {
  service_ = std::make_unique<Service>(GetParam(), std::move(settings));
  service_->start();
}

// Both engines are asked themselves: what the service says may be some seconds old.
bool Faults::quiet() {
  if (GetParam() == EngineKind::servers) return service_->queues_empty();
  return service_->sql("SELECT count(*) FROM queue_messages WHERE state <> 'dead'") == "0\n";
}

void Faults::expect_whole(const Tally& tally) {
  for (std::size_t i = 0; i < tally.surprises.size() && i < 5; ++i) ADD_FAILURE() << tally.surprises[i];
  ASSERT_TRUE(eventually([&] { return quiet(); }, kRecovery));
  std::map<std::string, std::string> booked;
  std::istringstream rows(service_->sql("SELECT message_id, outcome FROM processed_messages"));
  for (std::string row; std::getline(rows, row);) {
    const auto bar = row.find('|');
    if (bar != std::string::npos) booked.emplace(row.substr(0, bar), row.substr(bar + 1));
  }
  std::map<std::string, std::size_t> outcomes;
  for (const std::string& receipt : tally.receipts) ++outcomes[booked[receipt]];
  EXPECT_EQ(outcomes["stored"] + outcomes["unchanged"], tally.of(202)) << testing::PrintToString(outcomes);
  EXPECT_EQ(std::set<std::string>(tally.receipts.begin(), tally.receipts.end()).size(), tally.of(202));
  EXPECT_LE(booked.size(), tally.of(202) + tally.of(0));
  EXPECT_EQ(service_->sql("SELECT count(*) FROM inventory_records WHERE processed_at IS NULL"), "0\n");
  expect_single_effects(*service_);
  // A system's posts come one after the other, so each record that follows another differs from it; but one
  // that nobody answered may have come late, to be compared with nothing.
  const auto number = [&](const char* sql) { return std::stoull(service_->sql(sql)); };
  const auto followers = number("SELECT count(*) - count(DISTINCT system_id) FROM inventory_records");
  const auto changed = number("SELECT count(DISTINCT current_id) FROM inventory_diffs");
  EXPECT_LE(changed, followers);
  EXPECT_GE(changed + tally.of(0), followers) << "changes are missing";
  EXPECT_EQ(number("SELECT count(*) FROM inventory_records WHERE change_count > 0"), changed);
  EXPECT_EQ(service_->dead_letters(), 0U);
  if (GetParam() == EngineKind::embedded) {
    EXPECT_EQ(service_->sql("PRAGMA integrity_check"), "ok\n");
  }
  std::cout << tally.text() << "; " << outcomes["stored"] << " stored, " << outcomes["unchanged"]
            << " unchanged\n";
}

}  // namespace collect::test
