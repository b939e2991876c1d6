// SPDX-License-Identifier: Apache-2.0
// The bytes of one connection, never blocking. Everything above asks only for these few things, so that
// another transport (TLS) is another class of the same shape. Internal to the net room.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <string_view>
#include <utility>

namespace collect::net {

inline bool would_block(const boost::system::error_code& error) {
  return error == boost::asio::error::would_block || error == boost::asio::error::try_again ||
         error == boost::asio::error::interrupted;
}

class PlainTransport {
 public:
  using Error = boost::system::error_code;
  using Socket = boost::asio::ip::tcp::socket;

  explicit PlainTransport(Socket socket) : socket_(std::move(socket)) {}

  // Bytes read; `would_block` when there are none now, `eof` when the other end is done sending.
  std::size_t read_some(char* to, std::size_t size, Error& error) {
    return socket_.read_some(boost::asio::buffer(to, size), error);
  }
  // Bytes written of `first` and then `second`, perhaps fewer than there are.
  std::size_t write_some(std::string_view first, std::string_view second, Error& error) {
    const std::array<boost::asio::const_buffer, 2> both = {boost::asio::buffer(first),
                                                           boost::asio::buffer(second)};
    return socket_.write_some(both, error);
  }
  // Calls `next(error)` once a read or a write is worth trying.
  template <class Next>
  void when_readable(Next&& next) {
    socket_.async_wait(Socket::wait_read, std::forward<Next>(next));
  }
  template <class Next>
  void when_writable(Next&& next) {
    socket_.async_wait(Socket::wait_write, std::forward<Next>(next));
  }
  [[nodiscard]] bool has_input() {
    Error error;
    return socket_.available(error) > 0;
  }
  void shut_down_sending() {
    Error ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }
  // Waits end with operation_aborted.
  void close() {
    Error ignored;
    socket_.close(ignored);
  }

 private:
  Socket socket_;
};

}  // namespace collect::net
