// SPDX-License-Identifier: Apache-2.0
// One I/O thread and the connections that live on it. Internal to the net room.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "net/door.h"

namespace collect::net {

class Connection;

// Everything but run(), stop(), each_connection() and io() belongs to the loop's own thread.
class Loop {
 public:
  using Steady = std::chrono::steady_clock;
  static constexpr std::size_t kScratch = 64 * 1024;

  explicit Loop(Door& door);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();   // starts the thread
  void stop();  // ends it, joins it
  boost::asio::io_context& io() { return io_; }
  [[nodiscard]] Door& door() { return door_; }

  // Runs `visit` for every connection, later, on the loop's thread.
  void each_connection(void (Connection::*visit)());

  void add(Connection& connection);
  void remove(Connection& connection);

  // Where reads land: one for all connections, since none keeps what it read beyond its turn. An idle
  // connection costs no buffer.
  char* scratch() { return scratch_.data(); }
  // Today's Date header; formatted once a second.
  const std::string& date(Time now);

 private:
  void tick_later();
  void tick();

  Door& door_;
  const std::chrono::milliseconds tick_length_;
  std::vector<char> scratch_;
  std::vector<Connection*> connections_;
  std::string date_;
  std::chrono::sys_seconds date_of_{};
  bool ticking_ = false;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  std::thread thread_;
};

}  // namespace collect::net
