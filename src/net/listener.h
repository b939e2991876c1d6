// SPDX-License-Identifier: Apache-2.0
// Takes new connections and deals them out to the loops. Internal to the net room.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/loop.h"
#include "net/tls.h"

namespace collect::net {

// host:port, [v6]:port or :port (all addresses) as an endpoint; names are resolved. `invalid` or
// `unavailable`.
Result<boost::asio::ip::tcp::endpoint> parse_endpoint(std::string_view address);
std::string to_text(const boost::asio::ip::tcp::endpoint& endpoint);

// Runs on the first loop's thread but for open().
class Listener {
 public:
  // nullptr: plain.
  Listener(std::vector<std::unique_ptr<Loop>>& loops, std::shared_ptr<const TlsIdentity> tls);

  Result<void> open(const std::string& address);
  [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }
  void accept_later();
  // For connections to come.
  void renew_tls(std::shared_ptr<const TlsIdentity> tls) { tls_ = std::move(tls); }
  // Takes what the backlog still holds, then stops listening.
  void close();

 private:
  using Error = boost::system::error_code;

  void accept_burst();
  void accept_all();
  void welcome(boost::asio::ip::tcp::socket socket, std::size_t loop,
               const boost::asio::ip::tcp::endpoint& peer);
  void turn_away(boost::asio::ip::tcp::socket socket);
  void back_off(const std::string& reason);

  std::vector<std::unique_ptr<Loop>>& loops_;
  Door& door_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer timer_;
  std::size_t next_loop_ = 0;
  bool backing_off_ = false;
  std::shared_ptr<const TlsIdentity> tls_;
};

}  // namespace collect::net
