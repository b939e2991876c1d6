// SPDX-License-Identifier: Apache-2.0
// A blocking client for tests, plain or over TLS, that says exactly the bytes it is told. Takes any
// certificate. Gives up after a few seconds.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "net/transport.h"

namespace collect::net {

enum class Wire { plain, tls };

struct RawAnswer {
  int status = 0;  // 0: none came
  std::string head;
  std::string body;    // chunks joined
  bool whole = false;  // all of the body came
  // Value of a header as the server spells it, or nothing.
  [[nodiscard]] std::string header(const std::string& name) const {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const std::size_t from = at + name.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
  }
};

class RawClient {
 public:
  static constexpr int kPatienceMs = 120'000;

  explicit RawClient(std::uint16_t port, Wire wire = Wire::plain, bool connect_now = true)
      : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (wire == Wire::tls) {
      static const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_client_method()),
                                                                        &SSL_CTX_free);
      tls_.reset(SSL_new(context.get()));
      BIO* bio = quiet_socket(fd_);
      SSL_set_bio(tls_.get(), bio, bio);
      // As all TLS clients do: what is one write here are several records.
      const int at_once = 1;
      ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
      // Otherwise a session ticket would be waited behind, until there is something to read.
      SSL_clear_mode(tls_.get(), SSL_MODE_AUTO_RETRY);
    }
    address_.sin_family = AF_INET;
    address_.sin_port = htons(port);
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect_now) connect();
  }
  RawClient(RawClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        tls_(std::move(other.tls_)),
        connected_(other.connected_),
        address_(other.address_) {}
  RawClient(const RawClient&) = delete;
  ~RawClient() {
    if (fd_ >= 0) ::close(fd_);
  }

  void connect() {
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) == 0 &&
                 (!tls_ || SSL_connect(tls_.get()) == 1);
  }
  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] int fd() const { return fd_; }

  // False once the other end has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size = tls_ ? send_tls(bytes) : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
  }
  void done_sending() {
    if (tls_) {
      const std::lock_guard lock(tls_mutex_);
      SSL_shutdown(tls_.get());
    }
    ::shutdown(fd_, SHUT_WR);
  }
  // Closes with a reset instead of an end.
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(std::exchange(fd_, -1));
  }

  RawAnswer receive(bool head_only = false) {
    RawAnswer answer;
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill()) return answer;
    }
    answer.head = buffer_.substr(0, end + 4);
    buffer_.erase(0, end + 4);
    answer.status = std::atoi(answer.head.c_str() + 9);
    if (answer.header("Transfer-Encoding") == "chunked") {
      answer.whole = head_only || receive_chunks(answer.body);
      return answer;
    }
    const std::string length = answer.header("Content-Length");
    const std::size_t size = head_only || length.empty() ? 0 : static_cast<std::size_t>(std::stoul(length));
    while (buffer_.size() < size) {
      if (!fill()) break;
    }
    answer.body = buffer_.substr(0, size);
    answer.whole = answer.body.size() == size;
    buffer_.erase(0, size);
    return answer;
  }
  // All until the other end closes.
  std::string receive_rest() {
    while (fill()) {
    }
    return std::exchange(buffer_, {});
  }
  RawAnswer ask(std::string_view bytes) {
    send(bytes);
    return receive();
  }

  // The other end says nothing more: it closed (or reset) within the patience, with nothing unread.
  bool ended() { return buffer_.empty() && !fill() && !timed_out_; }
  // That the other end has said so, within TLS: nothing was cut off.
  bool ended_properly() { return ended() && (SSL_get_shutdown(tls_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }
  [[nodiscard]] SSL* tls() const { return tls_.get(); }
  // Nothing to read for that long.
  bool silent(std::chrono::milliseconds time) {
    if (!buffer_.empty()) return false;
    pollfd wait{fd_, POLLIN, 0};
    while (::poll(&wait, 1, static_cast<int>(time.count())) != 0) {
      char next = 0;
      if (!tls_) return false;
      const std::lock_guard lock(tls_mutex_);
      if (!only_about_tls(SSL_peek(tls_.get(), &next, 1))) return false;
    }
    return true;
  }

 private:
  // False: cut off, or no chunks at all.
  bool receive_chunks(std::string& body) {
    for (;;) {
      std::size_t line = 0;
      while ((line = buffer_.find("\r\n")) == std::string::npos) {
        if (!fill()) return false;
      }
      const std::size_t size = std::strtoul(buffer_.c_str(), nullptr, 16);
      const std::size_t end = line + 2 + size;
      while (buffer_.size() < end + 2) {
        if (!fill()) return false;
      }
      body.append(buffer_, line + 2, size);
      if (buffer_.compare(end, 2, "\r\n") != 0) return false;
      buffer_.erase(0, end + 2);
      if (size == 0) return true;
    }
  }
  bool fill() {
    char bytes[16384];
    ssize_t size = 0;
    for (bool about_tls = true; about_tls;) {
      pollfd wait{fd_, POLLIN, 0};
      timed_out_ = !has_more() && ::poll(&wait, 1, kPatienceMs) == 0;
      if (timed_out_) return false;
      if (!tls_) {
        size = ::recv(fd_, bytes, sizeof bytes, 0);
        break;
      }
      const std::lock_guard lock(tls_mutex_);
      size = SSL_read(tls_.get(), bytes, sizeof bytes);
      about_tls = only_about_tls(size);
    }
    if (size <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(size));
    return true;
  }
  // In bytes that the socket takes at once: who receives must not be kept out until somebody reads.
  ssize_t send_tls(std::string_view bytes) {
    constexpr std::size_t kRecord = 16384;
    pollfd wait{fd_, POLLOUT, 0};
    ::poll(&wait, 1, -1);
    const std::lock_guard lock(tls_mutex_);
    return SSL_write(tls_.get(), bytes.data(), static_cast<int>(std::min(bytes.size(), kRecord)));
  }
  // Received and decrypted already.
  bool has_more() {
    if (!tls_) return false;
    const std::lock_guard lock(tls_mutex_);
    return SSL_pending(tls_.get()) > 0;
  }
  // What came was for TLS itself, such as a session ticket.
  bool only_about_tls(ssize_t outcome) {
    return outcome <= 0 && SSL_get_error(tls_.get(), static_cast<int>(outcome)) == SSL_ERROR_WANT_READ;
  }

  struct FreeTls {
    void operator()(SSL* tls) const { SSL_free(tls); }
  };

  int fd_;
  std::mutex tls_mutex_;               // a test may send and receive at once, which OpenSSL does not allow
  std::unique_ptr<SSL, FreeTls> tls_;  // nullptr: plain
  bool connected_ = false;
  bool timed_out_ = false;
  sockaddr_in address_{};
  std::string buffer_;
};

}  // namespace collect::net
