// SPDX-License-Identifier: Apache-2.0
// What an appliance talks to Collect with: HTTP over one kept connection, Basic authentication.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace collect::fleet {

struct Answer {
  int status = 0;
  std::string body;
  std::optional<std::chrono::seconds> retry_after;  // when the server named a number of seconds
};

struct Credentials {
  std::string system_key, system_secret;
};

// One connection, one request at a time, one thread at a time.
class Client {
 public:
  // `base_url` without a slash at its end: "http://127.0.0.1:8081".
  explicit Client(std::string base_url, std::chrono::milliseconds timeout = std::chrono::seconds(30));
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // Any status is an answer; `unavailable` when none came: the message says why.
  Result<Answer> get(std::string_view path, const Credentials& credentials);
  // As application/json; an empty body is sent without one, as real heartbeats are.
  Result<Answer> post(std::string_view path, std::string_view body, const Credentials& credentials);

  // post(), and the same again after Retry-After (or a second) as long as the answer is 429 or 503 and
  // `patient` says so; it is given the pause that comes, and what it returns false to is the answer.
  using Patient = std::function<bool(std::chrono::seconds pause)>;
  Result<Answer> post_until_taken(std::string_view path, std::string_view body,
                                  const Credentials& credentials, const Patient& patient);

 private:
  struct Connection;
  Result<Answer> run(std::string_view path, const Credentials& credentials);

  std::string base_url_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace collect::fleet
