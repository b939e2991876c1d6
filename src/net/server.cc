// SPDX-License-Identifier: Apache-2.0
#include "net/server.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "net/connection.h"
#include "net/door.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/tls.h"

namespace collect::net {
namespace {

using Steady = std::chrono::steady_clock;

// Draining happens once in a server's life and takes as long as its slowest request: looking now and then is
// enough.
template <class Condition>
bool wait_until(Steady::time_point deadline, Condition condition) {
  while (!condition()) {
    if (Steady::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace

struct Server::Parts {
  Parts(ServerOptions options, const Router& router, Pool& pool, const Clock& clock)
      : door(std::move(options), router, pool, clock) {
    const std::size_t count = std::max<std::size_t>(door.options.io_threads, 1);
    for (std::size_t i = 0; i < count; ++i) loops.push_back(std::make_unique<Loop>(door));
    listener = std::make_unique<Listener>(loops, door.options.tls);
    tell_end(door.options.tls.get());
  }

  void tell_end(const TlsIdentity* tls) {
    if (tls == nullptr) return;
    door.counters.certificate_ends_at =
        std::chrono::floor<std::chrono::seconds>(tls->ends_at()).time_since_epoch().count();
  }

  // Runs `act` on the listener's thread and waits for it.
  template <class Act>
  void on_listener(Act act) {
    std::promise<void> done;
    boost::asio::post(loops.front()->io(), [this, &act, &done] {
      act(*listener);
      done.set_value();
    });
    done.get_future().wait();
  }

  Door door;
  std::vector<std::unique_ptr<Loop>> loops;
  std::unique_ptr<Listener> listener;
  std::string address;
  std::uint16_t port = 0;
  bool running = false;
};

Server::Server(ServerOptions options, const Router& router, Pool& pool, const Clock& clock)
    : parts_(std::make_unique<Parts>(std::move(options), router, pool, clock)) {}

Server::~Server() {
  if (parts_->running) {
    drain(std::chrono::milliseconds(0));
    // Jobs come back to their loops, so the loops stay until the last one did.
    while (parts_->door.jobs > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  for (const auto& loop : parts_->loops) loop->stop();
}

Result<void> Server::start() {
  auto opened = parts_->listener->open(parts_->door.options.listen_address);
  if (!opened) return opened;
  parts_->address = to_text(parts_->listener->endpoint());
  parts_->port = parts_->listener->endpoint().port();
  for (const auto& loop : parts_->loops) loop->run();
  parts_->running = true;
  parts_->on_listener([](Listener& listener) { listener.accept_later(); });
  return {};
}

const std::string& Server::address() const {
  return parts_->address;
}

std::uint16_t Server::port() const {
  return parts_->port;
}

void Server::renew_tls(std::shared_ptr<const TlsIdentity> tls) {
  parts_->tell_end(tls.get());
  parts_->on_listener([&tls](Listener& listener) { listener.renew_tls(std::move(tls)); });
}

bool Server::drain(std::chrono::milliseconds patience) {
  if (!parts_->running) return true;
  const auto deadline = Steady::now() + patience;
  const auto& open = parts_->door.counters.connections_open;
  // What waits in the backlog was accepted by the kernel already: it is served, as the last.
  parts_->on_listener([this](Listener& listener) {
    listener.close();
    parts_->door.draining = true;
  });
  for (const auto& loop : parts_->loops) loop->each_connection(&Connection::drain);
  const bool finished = wait_until(deadline, [&open] { return open == 0; });
  if (finished) return true;
  for (const auto& loop : parts_->loops) loop->each_connection(&Connection::close);
  wait_until(Steady::now() + std::chrono::seconds(1), [&open] { return open == 0; });
  return false;
}

const ServerCounters& Server::counters() const {
  return parts_->door.counters;
}

}  // namespace collect::net
