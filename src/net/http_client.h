// SPDX-License-Identifier: Apache-2.0
// The HTTP client: one request, one answer, blocking, over libcurl. http and https only, HTTP/1.1,
// certificates always checked, no proxy, redirects are answers like any other. Connections are kept for the
// next request.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http.h"

namespace collect::net {

class CurlHandle;

// What becomes of an answer whose body is longer than the limit: a failure, or its beginning will do.
enum class LongAnswer : std::uint8_t { refuse, cut };

struct HttpClientOptions {
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds timeout{30'000};  // from the beginning to the end of the answer
  std::size_t max_answer_bytes = std::size_t{1024} * 1024;
  LongAnswer long_answer = LongAnswer::refuse;
  std::string ca_file;  // PEM; authorities to trust beside the system's; empty: none
};

struct ClientRequest {
  std::string method = "GET";
  std::string url;
  std::vector<Header> headers;  // Host, Content-Length and User-Agent are added
  std::string_view body;
};

struct ClientAnswer {
  int status = 0;
  std::vector<Header> headers;  // as they came
  std::string body;             // as it came: not decoded

  // The first of that name in any case; empty when there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

// Safe to use from several threads; each request that runs at the same time has a connection of its own.
class HttpClient {
 public:
  explicit HttpClient(HttpClientOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Whatever the peer answers, also 500, is a value. `unavailable`: no answer (no such host, nobody listens,
  // a certificate that is not trusted, too slow, broken off). `invalid`: the request cannot be sent, or the
  // answer is too long. Messages name scheme, host and port and no more: paths and queries may be secrets.
  Result<ClientAnswer> send(const ClientRequest& request);
  // The same with less time.
  Result<ClientAnswer> send(const ClientRequest& request, std::chrono::milliseconds timeout);

 private:
  std::unique_ptr<CurlHandle> take();
  void give_back(std::unique_ptr<CurlHandle> handle);

  const HttpClientOptions options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<CurlHandle>> idle_;  // guarded by mutex_
};

// `invalid` unless it is http://host… or https://host… without user and password. The message does not repeat
// it.
Result<void> check_http_url(std::string_view url);
// "https://host:8443" of such a URL.
std::string http_origin(std::string_view url);

}  // namespace collect::net
