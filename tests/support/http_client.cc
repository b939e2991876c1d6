// SPDX-License-Identifier: Apache-2.0
#include "support/http_client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "base/hash.h"

namespace collect::test {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

bool has(const HttpHeaders& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& header) { return lower(header.first) == lower(name); });
}

[[noreturn]] void broken(const std::string& what) {
  throw std::runtime_error("HTTP: " + what);
}

HttpResponse parse_head(std::string_view head) {
  HttpResponse response;
  if (head.size() < 12 || head.substr(0, 7) != "HTTP/1.")
    broken("no status line in: " + std::string(head.substr(0, 80)));
  response.status = std::stoi(std::string(head.substr(9, 3)));
  std::size_t at = head.find("\r\n");
  while (at != std::string_view::npos && at + 2 < head.size()) {
    const auto end = head.find("\r\n", at + 2);
    const auto line = head.substr(at + 2, end - at - 2);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) broken("a header without colon: " + std::string(line));
    auto value = line.substr(colon + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    response.headers.emplace_back(lower(line.substr(0, colon)), value);
    at = end;
  }
  return response;
}

}  // namespace

std::string HttpResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == lower(name)) return value;
  }
  return "";
}

HttpClient::HttpClient(int port, std::chrono::milliseconds timeout) : port_(port), timeout_(timeout) {}
HttpClient::~HttpClient() {
  close();
}

void HttpClient::basic_auth(std::string_view user, std::string_view password) {
  authorization_ = "Basic " + to_base64(std::string(user) + ":" + std::string(password));
}

void HttpClient::bearer(std::string_view token) {
  authorization_ = "Bearer " + std::string(token);
}

void HttpClient::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  buffer_.clear();
}

void HttpClient::connect() {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const std::string reason = std::strerror(errno);
    close();
    broken("no connection to 127.0.0.1:" + std::to_string(port_) + ": " + reason);
  }
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void HttpClient::send(std::string_view bytes) {
  if (fd_ < 0) connect();
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) broken(std::string("sending failed: ") + std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool HttpClient::fill() {
  pollfd wait{fd_, POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&wait, 1, static_cast<int>(timeout_.count()));
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) broken("no answer within " + std::to_string(timeout_.count()) + " ms");
  char chunk[65536];
  const ssize_t got = recv(fd_, chunk, sizeof chunk, 0);
  if (got <= 0) return false;
  buffer_.append(chunk, static_cast<std::size_t>(got));
  return true;
}

HttpResponse HttpClient::receive(bool head_only) {
  const auto need = [this](std::size_t bytes) {
    while (buffer_.size() < bytes) {
      if (!fill()) broken("the connection ended in the middle of an answer");
    }
  };
  const auto take = [&](std::size_t bytes) {
    need(bytes);
    std::string part = buffer_.substr(0, bytes);
    buffer_.erase(0, bytes);
    return part;
  };
  const auto take_line = [&] {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n")) == std::string::npos) {
      if (!fill()) broken("the connection ended in the middle of an answer");
    }
    std::string line = take(end + 2);
    line.resize(end);
    return line;
  };

  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill())
      broken(buffer_.empty() ? "the connection ended without an answer" : "the answer's header is cut");
  }
  HttpResponse response = parse_head(std::string_view(take(end + 4)).substr(0, end));
  if (response.status == 100) return receive(head_only);
  const bool bodiless = head_only || response.status == 204 || response.status == 304;
  if (bodiless) {
  } else if (lower(response.header("transfer-encoding")) == "chunked") {
    while (const std::size_t size = std::stoul(take_line(), nullptr, 16)) {
      response.body += take(size);
      take_line();
    }
    while (!take_line().empty()) {
    }
  } else if (const auto length = response.header("content-length"); !length.empty()) {
    response.body = take(std::stoul(length));
  } else {
    response.body = receive_rest();
  }
  if (lower(response.header("connection")) == "close") close();
  return response;
}

std::string HttpClient::receive_rest() {
  while (fd_ >= 0 && fill()) {
  }
  std::string rest = std::move(buffer_);
  close();
  return rest;
}

bool HttpClient::silent_for(std::chrono::milliseconds time) {
  if (!buffer_.empty()) return false;
  pollfd wait{fd_, POLLIN, 0};
  return poll(&wait, 1, static_cast<int>(time.count())) == 0;
}

bool HttpClient::closed_within(std::chrono::milliseconds time) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  char chunk[4096];
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd wait{fd_, POLLIN, 0};
    if (poll(&wait, 1, std::max(0, static_cast<int>(left.count()))) <= 0) return false;
    if (recv(fd_, chunk, sizeof chunk, 0) <= 0) break;
  }
  close();
  return true;
}

HttpResponse HttpClient::get(std::string_view target, const HttpHeaders& headers) {
  return request("GET", target, {}, headers);
}

HttpResponse HttpClient::post(std::string_view target, std::string_view body, const HttpHeaders& headers) {
  HttpHeaders all = headers;
  if (!has(all, "content-type")) all.emplace_back("Content-Type", "application/json");
  return request("POST", target, body, all);
}

HttpResponse HttpClient::request(std::string_view method, std::string_view target, std::string_view body,
                                 const HttpHeaders& headers) {
  std::string text = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\n";
  if (!has(headers, "host")) text += "Host: 127.0.0.1:" + std::to_string(port_) + "\r\n";
  if (!authorization_.empty() && !has(headers, "authorization"))
    text += "Authorization: " + authorization_ + "\r\n";
  if (!body.empty() && !has(headers, "content-length") && !has(headers, "transfer-encoding")) {
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  for (const auto& [name, value] : headers) text.append(name).append(": ").append(value).append("\r\n");
  text.append("\r\n").append(body);

  if (connected() && closed_within(std::chrono::milliseconds(0))) close();
  buffer_.clear();
  try {
    send(text);
  } catch (const std::runtime_error&) {
    // An early refusal closes while the body is still on its way: what the server said counts.
    if (!connected() || !fill()) throw;
  }
  return receive(method == "HEAD");
}

}  // namespace collect::test
