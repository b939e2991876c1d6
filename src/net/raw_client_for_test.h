// SPDX-License-Identifier: Apache-2.0
// A blocking TCP client for tests that says exactly the bytes it is told. Gives up after a few seconds.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace collect::net {

struct RawAnswer {
  int status = 0;  // 0: none came
  std::string head;
  std::string body;
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
  static constexpr int kPatienceMs = 10'000;

  explicit RawClient(std::uint16_t port, bool connect_now = true) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_port = htons(port);
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect_now) connect();
  }
  RawClient(RawClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_), address_(other.address_) {}
  RawClient(const RawClient&) = delete;
  ~RawClient() {
    if (fd_ >= 0) ::close(fd_);
  }

  void connect() {
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) == 0;
  }
  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] int fd() const { return fd_; }

  // False once the other end has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
  }
  void done_sending() { ::shutdown(fd_, SHUT_WR); }
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
    const std::string length = answer.header("Content-Length");
    const std::size_t size = head_only || length.empty() ? 0 : static_cast<std::size_t>(std::stoul(length));
    while (buffer_.size() < size) {
      if (!fill()) break;
    }
    answer.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return answer;
  }
  RawAnswer ask(std::string_view bytes) {
    send(bytes);
    return receive();
  }

  // The other end says nothing more: it closed (or reset) within the patience, with nothing unread.
  bool ended() { return buffer_.empty() && !fill() && !timed_out_; }
  // Nothing to read for that long.
  bool silent(std::chrono::milliseconds time) {
    pollfd wait{fd_, POLLIN, 0};
    return buffer_.empty() && ::poll(&wait, 1, static_cast<int>(time.count())) == 0;
  }

 private:
  bool fill() {
    pollfd wait{fd_, POLLIN, 0};
    timed_out_ = ::poll(&wait, 1, kPatienceMs) == 0;
    if (timed_out_) return false;
    char bytes[16384];
    const ssize_t size = ::recv(fd_, bytes, sizeof bytes, 0);
    if (size <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(size));
    return true;
  }

  int fd_;
  bool connected_ = false;
  bool timed_out_ = false;
  sockaddr_in address_{};
  std::string buffer_;
};

}  // namespace collect::net
