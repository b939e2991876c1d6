// SPDX-License-Identifier: Apache-2.0
// An upstream on a free port of the loopback that keeps the exact bytes it is sent and answers as a script
// says: also wrongly, slowly, or not at all. It reads HTTP by itself, so that it does not share the product's
// mistakes.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace collect::alertmanager {

struct Received {
  std::string head;  // request line and header fields as they came
  std::string body;
  std::string method;
  std::string target;  // path and query
  // The value of a header as the client spells its name; empty when there is none.
  [[nodiscard]] std::string header(const std::string& name) const {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const std::size_t from = at + name.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
  }
};

struct Scripted {
  int status = 200;
  std::string body{};
  std::string headers{};  // more header lines, each with its \r\n
  std::chrono::milliseconds delay{0};
  bool hang_up = false;  // instead of answering
};

class ScriptedUpstream {
 public:
  using Script = std::function<Scripted(const Received&)>;

  explicit ScriptedUpstream(Script script = [](const Received&) { return Scripted{}; })
      : script_(std::move(script)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, generic, &size) != 0) {
      throw std::runtime_error("the scripted upstream could not be started");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~ScriptedUpstream() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& connection : connections_) connection.join();
    ::close(listener_);
  }
  ScriptedUpstream(const ScriptedUpstream&) = delete;
  ScriptedUpstream& operator=(const ScriptedUpstream&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void script(Script script) {
    const std::lock_guard lock(mutex_);
    script_ = std::move(script);
  }
  void answer(Scripted answer) {
    script([answer = std::move(answer)](const Received&) { return answer; });
  }
  // What came since the last call.
  std::vector<Received> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(received_, {});
  }

 private:
  void accept_all() {
    for (;;) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      const std::lock_guard lock(mutex_);
      open_.insert(fd);
      connections_.emplace_back([this, fd] {
        std::string buffer;
        while (serve(fd, buffer)) {
        }
        const std::lock_guard closing(mutex_);
        open_.erase(fd);
        ::close(fd);
      });
    }
  }
  bool serve(int fd, std::string& buffer) {
    Received request;
    std::size_t end = 0;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
      if (!fill(fd, buffer)) return false;
    }
    request.head = buffer.substr(0, end + 4);
    buffer.erase(0, end + 4);
    const std::size_t first = request.head.find(' ');
    const std::size_t second = request.head.find(' ', first + 1);
    request.method = request.head.substr(0, first);
    request.target = request.head.substr(first + 1, second - first - 1);
    const std::string length = request.header("Content-Length");
    const std::size_t size = length.empty() ? 0 : std::stoul(length);
    while (buffer.size() < size) {
      if (!fill(fd, buffer)) return false;
    }
    request.body = buffer.substr(0, size);
    buffer.erase(0, size);
    return answer(fd, std::move(request));
  }
  bool answer(int fd, Received request) {
    Script script;
    {
      const std::lock_guard lock(mutex_);
      script = script_;
      received_.push_back(request);
    }
    const Scripted answer = script(request);
    if (answer.delay.count() > 0) std::this_thread::sleep_for(answer.delay);
    if (answer.hang_up) return false;
    const std::string text = "HTTP/1.1 " + std::to_string(answer.status) +
                             " Scripted\r\nContent-Length: " + std::to_string(answer.body.size()) + "\r\n" +
                             answer.headers + "\r\n" + answer.body;
    for (std::string_view left = text; !left.empty();) {
      const ssize_t sent = ::send(fd, left.data(), left.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      left.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  static bool fill(int fd, std::string& buffer) {
    char bytes[16384];
    const ssize_t size = ::recv(fd, bytes, sizeof bytes, 0);
    if (size <= 0) return false;
    buffer.append(bytes, static_cast<std::size_t>(size));
    return true;
  }

  std::mutex mutex_;
  Script script_;                         // guarded by mutex_
  std::vector<Received> received_;        // guarded by mutex_
  std::set<int> open_;                    // guarded by mutex_
  std::vector<std::thread> connections_;  // the acceptor's, then the destructor's
  int listener_;
  int port_ = 0;
  std::thread acceptor_;
};

}  // namespace collect::alertmanager
