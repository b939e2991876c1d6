// SPDX-License-Identifier: Apache-2.0
#include "support/tcp_proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <utility>
#include <vector>

#include "support/process.h"

namespace collect::test {
namespace {

constexpr int kLook = 10;  // ms, how soon an order or the end is noticed

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int tcp_socket() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

int listen_on(int port) {
  const int fd = tcp_socket();
  const auto address = loopback(port);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && listen(fd, 128) == 0)
    return fd;
  close(fd);
  return -1;
}

void reset_socket(int fd) {
  const linger at_once{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(fd);
}

void never_block(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

}  // namespace

TcpProxy::TcpProxy(int target_port)
    : target_port_(target_port),
      port_(free_port()),
      thread_([this](const std::stop_token& stop) { run(stop); }) {
  become(Mood::passes);
}

TcpProxy::~TcpProxy() {
  thread_.request_stop();
  thread_.join();
  for (Pair& pair : pairs_) reset(pair);
  if (listener_ >= 0) close(listener_);
}

void TcpProxy::become(Mood mood) {
  std::unique_lock lock(mutex_);
  mood_ = mood;
  if (!changed_.wait_for(lock, std::chrono::seconds(10), [&] { return followed_ == mood; }))
    throw std::runtime_error("the proxy cannot listen on port " + std::to_string(port_));
}

void TcpProxy::reset_all() {
  std::unique_lock lock(mutex_);
  const auto wanted = ++resets_wanted_;
  changed_.wait_for(lock, std::chrono::seconds(10), [&] { return resets_done_ >= wanted; });
}

void TcpProxy::delay(std::chrono::milliseconds time) {
  const std::lock_guard lock(mutex_);
  delay_ = time;
}

void TcpProxy::set(Trap trap) {
  const std::lock_guard lock(mutex_);
  trap_ = std::move(trap);
  ++set_;
  matched_ = 0;
  closed_ = false;
}

bool TcpProxy::unset() {
  const std::lock_guard lock(mutex_);
  trap_.reset();
  return closed_;
}

bool TcpProxy::wait_closed(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] { return closed_; });
}

std::uint64_t TcpProxy::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void TcpProxy::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    follow();
    std::vector<pollfd> waits = {{listener_, POLLIN, 0}};  // a negative one is passed over
    const auto now = Clock::now();
    const auto interest = [&](const Side& own, const Side& other) {
      const bool writes = !own.outgoing.empty() && own.outgoing.front().due <= now;
      const bool reads = mood_now_ == Mood::passes && !own.ended && other.outgoing.size() < 64;
      return static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
    };
    for (Pair& pair : pairs_) {
      waits.push_back({pair.client.fd, interest(pair.client, pair.server), 0});
      waits.push_back({pair.server.fd, interest(pair.server, pair.client), 0});
    }
    if (poll(waits.data(), waits.size(), next_wait()) <= 0) continue;
    std::size_t at = 1;
    for (auto pair = pairs_.begin(); pair != pairs_.end();) {
      const short client = waits[at++].revents;
      const short server = waits[at++].revents;
      const auto gone = static_cast<short>(POLLERR | POLLHUP);
      bool alive = true;
      if ((client & POLLIN) != 0) alive = read(*pair, pair->client, pair->server);
      if (alive && (server & POLLIN) != 0) alive = read(*pair, pair->server, pair->client);
      if (alive && (client & POLLOUT) != 0) alive = write(pair->client);
      if (alive && (server & POLLOUT) != 0) alive = write(pair->server);
      // Swallowed bytes are not read, and then an end shows in no other way.
      if (alive && ((client | server) & (POLLIN | POLLOUT)) == 0 && ((client | server) & gone) != 0)
        alive = false;
      const auto through = [](const Side& from, const Side& to) { return from.ended && to.outgoing.empty(); };
      if (through(pair->client, pair->server) || through(pair->server, pair->client)) {
        // In order: what was said before the end still gets through.
        close(std::exchange(pair->client.fd, -1));
        close(std::exchange(pair->server.fd, -1));
        alive = false;
      }
      if (!alive) reset(*pair);
      pair = alive ? std::next(pair) : pairs_.erase(pair);
    }
    if ((waits[0].revents & POLLIN) != 0) accept_one();
  }
}

int TcpProxy::next_wait() const {
  auto wait = std::chrono::milliseconds(kLook);
  for (const Pair& pair : pairs_) {
    for (const Side* side : {&pair.client, &pair.server}) {
      if (side->outgoing.empty()) continue;
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(side->outgoing.front().due - Clock::now());
      wait = std::clamp(left, std::chrono::milliseconds(0), wait);
    }
  }
  return static_cast<int>(wait.count());
}

void TcpProxy::follow() {
  const std::lock_guard lock(mutex_);
  if (mood_ != followed_) {
    if (mood_ == Mood::refuses) {
      if (listener_ >= 0) close(listener_);
      listener_ = -1;
    } else if (listener_ < 0 && (listener_ = listen_on(port_)) < 0) {
      return;
    }
    if (mood_ == Mood::refuses) {
      for (Pair& pair : pairs_) reset(pair);
      pairs_.clear();
    }
    mood_now_ = followed_ = mood_;
    changed_.notify_all();
  }
  if (resets_done_ < resets_wanted_) {
    for (Pair& pair : pairs_) reset(pair);
    pairs_.clear();
    resets_done_ = resets_wanted_;
    changed_.notify_all();
  }
}

void TcpProxy::accept_one() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int server = tcp_socket();
  const auto address = loopback(target_port_);
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    reset_socket(client);
    close(server);
    return;
  }
  const int on = 1;
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  never_block(client);
  never_block(server);
  pairs_.push_back({.client = {.fd = client}, .server = {.fd = server}});
}

bool TcpProxy::read(Pair& pair, Side& from, Side& to) {
  char chunk[65536];
  const ssize_t got = recv(from.fd, chunk, sizeof chunk, 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) {
    from.ended = true;
    return true;
  }
  std::string bytes(chunk, static_cast<std::size_t>(got));
  const bool from_client = &from == &pair.client;
  if (from_client ? !note_request(pair, bytes) : !note_answer(pair)) return false;
  const std::lock_guard lock(mutex_);
  to.outgoing.push_back({Clock::now() + delay_, std::move(bytes)});
  return true;
}

bool TcpProxy::write(Side& side) {
  while (!side.outgoing.empty() && side.outgoing.front().due <= Clock::now()) {
    std::string& bytes = side.outgoing.front().bytes;
    const ssize_t sent = send(side.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    bytes.erase(0, static_cast<std::size_t>(sent));
    if (!bytes.empty()) return true;
    side.outgoing.pop_front();
  }
  return true;
}

// A long request comes in pieces: each may hold the text that is looked for, the first one counts.
bool TcpProxy::note_request(Pair& pair, const std::string& bytes) {
  const std::lock_guard lock(mutex_);
  const bool fresh = pair.answered;
  pair.answered = false;
  if (fresh) ++requests_;
  if (!trap_ || closed_ || pair.trapped == set_) return true;
  if (trap_->containing.empty() ? !fresh : bytes.find(trap_->containing) == std::string::npos) return true;
  if (++matched_ != trap_->nth) return true;
  if (trap_->moment == Moment::after_answer) {
    pair.trapped = set_;
    return true;
  }
  close_trap();
  return false;
}

bool TcpProxy::note_answer(Pair& pair) {
  const std::lock_guard lock(mutex_);
  pair.answered = true;
  if (!trap_ || pair.trapped != set_) return true;
  close_trap();
  return false;
}

void TcpProxy::close_trap() {
  if (trap_->act) trap_->act();
  closed_ = true;
  changed_.notify_all();
}

void TcpProxy::reset(Pair& pair) {
  for (Side* side : {&pair.client, &pair.server}) {
    if (side->fd >= 0) reset_socket(side->fd);
    side->fd = -1;
  }
}

}  // namespace collect::test
