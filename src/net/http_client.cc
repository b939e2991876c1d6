// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "net/curl_handle.h"
#include "net/curl_request.h"

namespace collect::net {
namespace {

constexpr std::size_t kIdleHandles = 16;

struct Reading {
  ClientAnswer answer;
  std::size_t limit = 0;
  bool overlong = false;
};

std::size_t read_body(const char* data, std::size_t size, std::size_t count, void* target) {
  auto& reading = *static_cast<Reading*>(target);
  const std::size_t bytes = size * count;
  const std::size_t room = reading.limit - reading.answer.body.size();
  reading.answer.body.append(data, std::min(room, bytes));
  reading.overlong = bytes > room;
  return reading.overlong ? 0 : bytes;  // fewer than there are: libcurl breaks off
}

std::size_t read_header(const char* data, std::size_t size, std::size_t count, void* target) {
  read_header_line({data, size * count}, static_cast<Reading*>(target)->answer.headers);
  return size * count;
}

}  // namespace

std::string_view ClientAnswer::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (equal_ignoring_case(header.name, name)) return header.value;
  }
  return {};
}

HttpClient::HttpClient(HttpClientOptions options) : options_(std::move(options)) {}
HttpClient::~HttpClient() = default;

std::unique_ptr<CurlHandle> HttpClient::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto handle = std::move(idle_.back());
      idle_.pop_back();
      return handle;
    }
  }
  return std::make_unique<CurlHandle>();
}

void HttpClient::give_back(std::unique_ptr<CurlHandle> handle) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kIdleHandles) idle_.push_back(std::move(handle));
}

Result<ClientAnswer> HttpClient::send(const ClientRequest& request) {
  return send(request, options_.timeout);
}

Result<ClientAnswer> HttpClient::send(const ClientRequest& request, std::chrono::milliseconds timeout) {
  const auto lines = header_lines(request);
  if (!lines) return lines.failure();

  auto curl = take();
  Reading reading;
  reading.limit = options_.max_answer_bytes;
  prepare(*curl, request, *lines, options_.ca_file);
  curl->set_timeouts(options_.connect_timeout, std::min(timeout, options_.timeout));
  curl->set(CURLOPT_WRITEFUNCTION, &read_body);
  curl->set(CURLOPT_WRITEDATA, &reading);
  curl->set(CURLOPT_HEADERFUNCTION, &read_header);
  curl->set(CURLOPT_HEADERDATA, &reading);
  const CURLcode code = curl->perform();
  long status = 0;
  curl_easy_getinfo(curl->get(), CURLINFO_RESPONSE_CODE, &status);
  reading.answer.status = static_cast<int>(status);
  const std::string error = curl->error(code);
  give_back(std::move(curl));

  if (code == CURLE_OK || (reading.overlong && options_.long_answer == LongAnswer::cut))
    return std::move(reading.answer);
  if (reading.overlong) {
    return invalid(fmt::format("{} answered {} with more than {} bytes", http_origin(request.url), status,
                               options_.max_answer_bytes));
  }
  return unavailable(fmt::format("{} gave no answer: {}", http_origin(request.url), error));
}

Result<void> check_http_url(std::string_view url) {
  const auto parsed = boost::urls::parse_uri(url);
  const bool right = parsed && (parsed->scheme() == "http" || parsed->scheme() == "https") &&
                     !parsed->host().empty() && !parsed->has_userinfo();
  if (!right) return invalid("expected a URL like https://host/path, without a user and a password in it");
  return {};
}

std::string http_origin(std::string_view url) {
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed) return "a URL that is none";
  const std::string port(parsed->port());
  return fmt::format("{}://{}{}", std::string(parsed->scheme()), std::string(parsed->encoded_host()),
                     port.empty() ? "" : ":" + port);
}

}  // namespace collect::net
