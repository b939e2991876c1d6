// SPDX-License-Identifier: Apache-2.0
// A small blocking HTTP/1.1 client for tests, on a plain socket, so that a test sees the bytes and can also
// send wrong ones. Connects to 127.0.0.1 and keeps the connection while the server does. Throws
// std::runtime_error on refused, broken and overdue connections. One thread at a time.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace collect::test {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;  // names in lower case
  std::string body;     // chunks joined

  // The first value of that header (any case), or "".
  [[nodiscard]] std::string header(std::string_view name) const;
};

class HttpClient {
 public:
  explicit HttpClient(int port, std::chrono::milliseconds timeout = std::chrono::seconds(120));
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Sent with every request from now on.
  void basic_auth(std::string_view user, std::string_view password);
  void bearer(std::string_view token);
  void clear_auth() { authorization_.clear(); }

  HttpResponse get(std::string_view target, const HttpHeaders& headers = {});
  // Content-Type: application/json unless `headers` name another.
  HttpResponse post(std::string_view target, std::string_view body, const HttpHeaders& headers = {});
  // Host, Authorization and (for a body) Content-Length are added unless `headers` hold them. A kept
  // connection that the server closed meanwhile is opened anew; nothing is ever sent twice.
  HttpResponse request(std::string_view method, std::string_view target, std::string_view body = {},
                       const HttpHeaders& headers = {});

  // Below HTTP: open (if need be) and send exactly these bytes; read one answer; read until the server
  // closes.
  void send(std::string_view bytes);
  HttpResponse receive(bool head_only = false);
  std::string receive_rest();
  // No answer within `time`, but the connection is still open.
  bool silent_for(std::chrono::milliseconds time);
  // The server ended the connection within `time` (unread bytes are thrown away).
  bool closed_within(std::chrono::milliseconds time);
  [[nodiscard]] bool connected() const { return fd_ >= 0; }
  void close();

 private:
  void connect();
  bool fill();  // false at the end of the stream

  int port_;
  std::chrono::milliseconds timeout_;
  std::string authorization_;
  int fd_ = -1;
  std::string buffer_;  // read, not used yet
};

}  // namespace collect::test
