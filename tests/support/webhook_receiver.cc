// SPDX-License-Identifier: Apache-2.0
#include "support/webhook_receiver.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>

#include "base/hash.h"
#include "support/process.h"

namespace collect::test {
namespace {

constexpr int kLook = 10;  // ms, how soon a mood or the end is noticed

// The value of that header, or "".
std::string header(const std::string& head, std::string name) {
  const auto lower = [](std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
  };
  name = "\r\n" + lower(std::move(name)) + ": ";
  const auto at = lower(head).find(name);
  if (at == std::string::npos) return "";
  const auto begin = at + name.size();
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

int listen_on(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && listen(fd, 16) == 0)
    return fd;
  close(fd);
  return -1;
}

}  // namespace

WebhookReceiver::WebhookReceiver(std::string secret)
    : secret_(std::move(secret)),
      port_(free_port()),
      thread_([this](const std::stop_token& stop) { run(stop); }) {
  become(Mood::takes);
}

WebhookReceiver::~WebhookReceiver() {
  thread_.request_stop();
  thread_.join();
  close_all();
}

std::string WebhookReceiver::url() const {
  return "http://127.0.0.1:" + std::to_string(port_) + "/collect";
}

void WebhookReceiver::become(Mood mood) {
  {
    const std::lock_guard lock(mutex_);
    mood_ = mood;
  }
  const bool so = eventually([&] {
    const std::lock_guard lock(mutex_);
    return followed_ == mood;
  });
  if (!so) throw std::runtime_error("the webhook's receiver cannot listen on " + url());
}

std::vector<WebhookMessage> WebhookReceiver::messages() const {
  const std::lock_guard lock(mutex_);
  return messages_;
}

std::size_t WebhookReceiver::count() const {
  const std::lock_guard lock(mutex_);
  return messages_.size();
}

std::vector<std::string> WebhookReceiver::problems() const {
  const std::lock_guard lock(mutex_);
  return problems_;
}

void WebhookReceiver::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    follow_mood();
    std::vector<pollfd> waits;
    if (listener_ >= 0) waits.push_back({listener_, POLLIN, 0});
    for (const Connection& connection : connections_) waits.push_back({connection.fd, POLLIN, 0});
    if (poll(waits.data(), waits.size(), kLook) <= 0) continue;
    const std::size_t first = listener_ >= 0 ? 1 : 0;
    for (std::size_t i = connections_.size(); i-- > 0;) {
      if (waits[first + i].revents == 0 || read(connections_[i])) continue;
      close(connections_[i].fd);
      connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (first == 1 && waits[0].revents != 0) accept_one();
  }
}

void WebhookReceiver::follow_mood() {
  const std::lock_guard lock(mutex_);
  if (mood_ == followed_) return;
  if (mood_ == Mood::refuses) {
    close_all();
  } else if (listener_ < 0 && (listener_ = listen_on(port_)) < 0) {
    return;
  }
  followed_ = mood_;
}

void WebhookReceiver::accept_one() {
  const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd >= 0) connections_.push_back({fd, ""});
}

bool WebhookReceiver::read(Connection& connection) {
  char chunk[65536];
  const ssize_t got = recv(connection.fd, chunk, sizeof chunk, 0);
  if (got <= 0) return false;
  std::string& buffer = connection.buffer;
  buffer.append(chunk, static_cast<std::size_t>(got));
  const auto end = buffer.find("\r\n\r\n");
  if (end == std::string::npos) return true;
  const std::string head = buffer.substr(0, end + 2);
  const std::size_t length = std::strtoul(header(head, "Content-Length").c_str(), nullptr, 10);
  if (buffer.size() < end + 4 + length) return true;
  const std::string body = buffer.substr(end + 4, length);
  buffer.erase(0, end + 4 + length);
  return answer(connection, head, body);
}

bool WebhookReceiver::answer(Connection& connection, const std::string& head, const std::string& body) {
  Mood mood = Mood::takes;
  {
    const std::lock_guard lock(mutex_);
    mood = mood_;
  }
  const std::string problem = keep(head, body, mood == Mood::takes);
  if (mood == Mood::hangs) return true;
  const std::string status = !problem.empty()      ? "403 Forbidden"
                             : mood == Mood::takes ? "200 OK"
                                                   : "500 Broken";
  const std::string text =
      "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(problem.size()) + "\r\n\r\n" + problem;
  return send(connection.fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

std::string WebhookReceiver::keep(const std::string& head, const std::string& body, bool taken) {
  const std::lock_guard lock(mutex_);
  std::string problem;
  if (!head.starts_with("POST /collect HTTP/1.1\r\n")) problem = "another request: " + head;
  if (header(head, "X-Collect-Signature") != "sha256=" + to_hex(hmac_sha256(secret_, body)))
    problem = "the signature is wrong: " + head;
  if (problem.empty()) {
    messages_.push_back({header(head, "X-Collect-Delivery"), body, taken});
  } else {
    problems_.push_back(problem);
  }
  return problem;
}

void WebhookReceiver::close_all() {
  for (const Connection& connection : connections_) close(connection.fd);
  connections_.clear();
  if (listener_ >= 0) close(listener_);
  listener_ = -1;
}

}  // namespace collect::test
