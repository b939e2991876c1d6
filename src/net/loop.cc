// SPDX-License-Identifier: Apache-2.0
#include "net/loop.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>
#include <memory>

#include "base/log.h"
#include "net/connection.h"

namespace collect::net {
namespace {

// One timer per loop looks at all deadlines: often enough for the shortest of them, rarely enough to cost
// nothing.
std::chrono::milliseconds tick_length(const ServerOptions& options) {
  const auto shortest = std::min({options.header_deadline, options.body_deadline, options.write_deadline,
                                  options.idle_deadline, options.handler_timeout, options.linger_deadline});
  return std::clamp(shortest / 4, std::chrono::milliseconds(5), std::chrono::milliseconds(500));
}

}  // namespace

Loop::Loop(Door& door)
    : door_(door),
      tick_length_(tick_length(door.options)),
      scratch_(kScratch),
      work_(boost::asio::make_work_guard(io_)),
      timer_(io_) {}

Loop::~Loop() {
  stop();
}

void Loop::run() {
  thread_ = std::thread([this] {
    for (bool stumbled = false;; stumbled = true) {
      try {
        // It may have been the look at the deadlines that fell.
        if (stumbled && ticking_) tick_later();
        io_.run();
        return;
      } catch (const std::exception& problem) {
        // Whatever threw has lost its wait and with it its connection; the others go on.
        log::error("io_handler_failed", {{"error", problem.what()}});
      }
    }
  });
}

void Loop::stop() {
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

void Loop::each_connection(void (Connection::*visit)()) {
  boost::asio::post(io_, [this, visit] {
    const std::vector<Connection*> all = connections_;
    for (Connection* connection : all) (connection->*visit)();
  });
}

void Loop::add(Connection& connection) {
  if (!ticking_) {
    tick_later();
    ticking_ = true;
  }
  connection.place = connections_.size();
  connections_.push_back(&connection);
}

void Loop::remove(Connection& connection) {
  connections_.back()->place = connection.place;
  connections_[connection.place] = connections_.back();
  connections_.pop_back();
}

const std::string& Loop::date(Time now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (date_.empty() || second != date_of_) {
    date_of_ = second;
    date_ = http_date(now);
  }
  return date_;
}

void Loop::tick_later() {
  timer_.expires_after(tick_length_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();
  });
}

void Loop::tick() {
  ticking_ = !connections_.empty();
  if (ticking_) tick_later();
  // Nobody is destroyed on the way: closing only aborts waits, whose handlers hold the connections until
  // later.
  const auto now = Steady::now();
  for (std::size_t i = connections_.size(); i-- > 0;) {
    if (connections_[i]->overdue(now)) connections_[i]->cut();
  }
}

}  // namespace collect::net
