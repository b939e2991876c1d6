// SPDX-License-Identifier: Apache-2.0
// The bytes of one connection, plain or within TLS, never blocking. Everything above asks only for these few
// things. A TLS handshake happens within the first reads: as long as it lasts there is nothing to read, so
// the deadline for the first head is one for both. Internal to the net room.
#pragma once

#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "net/tls.h"

namespace collect::net {

inline bool would_block(const boost::system::error_code& error) {
  return error == boost::asio::error::would_block || error == boost::asio::error::try_again ||
         error == boost::asio::error::interrupted;
}

// OpenSSL's way to a socket, but for SIGPIPE: who writes to a connection that is gone gets an error only.
// nullptr: no memory.
BIO* quiet_socket(int socket);

class Transport {
 public:
  using Error = boost::system::error_code;
  using Socket = boost::asio::ip::tcp::socket;

  // nullptr: plain.
  Transport(Socket socket, const TlsIdentity* identity);

  // Bytes read; `would_block` when there are none now, `eof` when the other end is done sending.
  std::size_t read_some(char* to, std::size_t size, Error& error) {
    if (tls_) return read_tls(to, size, error);
    return socket_.read_some(boost::asio::buffer(to, size), error);
  }
  // Bytes written of `first` and then `second`, perhaps fewer than there are. What `would_block` left has to
  // be offered again as it was.
  std::size_t write_some(std::string_view first, std::string_view second, Error& error) {
    if (tls_) return write_tls(first, second, error);
    const std::array<boost::asio::const_buffer, 2> both = {boost::asio::buffer(first),
                                                           boost::asio::buffer(second)};
    return socket_.write_some(both, error);
  }
  // Calls `next(error)` once a read or a write is worth trying.
  template <class Next>
  void when_readable(Next&& next) {
    if (has_decrypted()) {
      return boost::asio::post(socket_.get_executor(),
                               [next = std::forward<Next>(next)]() mutable { next(Error()); });
    }
    socket_.async_wait(read_needs_write_ ? Socket::wait_write : Socket::wait_read, std::forward<Next>(next));
  }
  template <class Next>
  void when_writable(Next&& next) {
    socket_.async_wait(write_needs_read_ ? Socket::wait_read : Socket::wait_write, std::forward<Next>(next));
  }
  [[nodiscard]] bool has_input() {
    Error error;
    return has_decrypted() || socket_.available(error) > 0;
  }
  // The end of what is sent, as the other end can prove it; reading goes on.
  void shut_down_sending();

  // For a thread that may block, while the loop leaves the connection alone: waits until a read or a write is
  // worth trying. False: not within `patience`.
  bool await_readable(std::chrono::milliseconds patience) {
    return has_decrypted() || await(read_needs_write_ ? POLLOUT : POLLIN, patience);
  }
  bool await_writable(std::chrono::milliseconds patience) {
    return await(write_needs_read_ ? POLLIN : POLLOUT, patience);
  }
  // While another thread reads, writes or waits: all of that ends now. close() has to follow once it did.
  void interrupt() { ::shutdown(socket_.native_handle(), SHUT_RDWR); }

  // Waits end with operation_aborted.
  void close() {
    Error ignored;
    socket_.close(ignored);
    // It knows the descriptor, which may soon be another connection's.
    tls_.reset();
  }

  // TLS was begun and is not agreed on yet.
  [[nodiscard]] bool in_handshake() const { return tls_ && !agreed_; }
  // What was wrong with the other end's TLS, in OpenSSL's words; empty: nothing.
  [[nodiscard]] std::string_view tls_problem() const { return tls_problem_; }

 private:
  struct FreeTls {
    void operator()(SSL* tls) const { SSL_free(tls); }
  };
  std::size_t read_tls(char* to, std::size_t size, Error& error);
  std::size_t write_tls(std::string_view first, std::string_view second, Error& error);
  std::size_t write_record(std::string_view bytes, Error& error);
  Error error_of(int kind);
  void answer_plain_request();
  // Bytes that came within a record that was begun already: the socket knows nothing of them.
  [[nodiscard]] bool has_decrypted() const { return tls_ && SSL_pending(tls_.get()) > 0; }
  bool await(int events, std::chrono::milliseconds patience) {
    pollfd wait{socket_.native_handle(), static_cast<short>(events), 0};
    // An interrupted wait counts as one that was worth it: the caller looks, and waits again.
    return ::poll(&wait, 1, static_cast<int>(patience.count())) != 0;
  }

  Socket socket_;
  std::unique_ptr<SSL, FreeTls> tls_;  // nullptr: plain, or closed
  bool agreed_ = false;                // the handshake is over
  bool read_needs_write_ = false;
  bool write_needs_read_ = false;
  std::string_view tls_problem_;
};

}  // namespace collect::net
