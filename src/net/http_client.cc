// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "net/curl_handle.h"

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

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::size_t read_header(const char* data, std::size_t size, std::size_t count, void* target) {
  auto& headers = static_cast<Reading*>(target)->answer.headers;
  const std::string_view line(data, size * count);
  // A 100 Continue has a head of its own before the answer's.
  if (line.starts_with("HTTP/")) headers.clear();
  if (const auto colon = line.find(':'); colon != std::string_view::npos)
    headers.push_back({std::string(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1)))});
  return line.size();
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7F;
  });
}

Result<CurlList> header_lines(const ClientRequest& request) {
  CurlList lines;
  bool typed = false;
  for (const Header& header : request.headers) {
    if (!is_token(header.name) || has_control(header.value))
      return invalid("a header to be sent is none: " + shown(header.name));
    typed = typed || equal_ignoring_case(header.name, "Content-Type");
    // libcurl takes "Name:" for a header to leave out.
    lines.add(trimmed(header.value).empty() ? header.name + ";" : header.name + ": " + header.value);
  }
  // Of itself libcurl waits for a 100 Continue, and calls every body a form.
  lines.add("Expect:");
  if (!typed) lines.add("Content-Type:");
  return lines;
}

void set_method(CurlHandle& curl, const ClientRequest& request) {
  const bool without_body = request.body.empty() && (request.method == "GET" || request.method == "DELETE");
  if (request.method == "HEAD") {
    curl.set(CURLOPT_NOBODY, 1L);
  } else if (without_body) {
    curl.set(CURLOPT_HTTPGET, 1L);
  } else {
    curl.set(CURLOPT_POST, 1L);
    curl.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl.set(CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
  }
  if (request.method != "HEAD") curl.set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void prepare(CurlHandle& curl, const ClientRequest& request, const CurlList& lines,
             const HttpClientOptions& options, std::chrono::milliseconds timeout) {
  curl.reset(options.ca_file);
  curl.set_timeouts(options.connect_timeout, timeout);
  curl.set(CURLOPT_PROTOCOLS_STR, "http,https");
  curl.set(CURLOPT_FOLLOWLOCATION, 0L);
  curl.set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl.set(CURLOPT_PATH_AS_IS, 1L);
  curl.set(CURLOPT_USERAGENT, "collect");
  curl.set(CURLOPT_URL, request.url.c_str());
  curl.set(CURLOPT_HTTPHEADER, lines.get());
  set_method(curl, request);
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
  if (auto checked = check_http_url(request.url); !checked) return checked.failure();
  if (!is_token(request.method)) return invalid("the method to be sent is none: " + shown(request.method));
  const auto lines = header_lines(request);
  if (!lines) return lines.failure();

  auto curl = take();
  Reading reading;
  reading.limit = options_.max_answer_bytes;
  prepare(*curl, request, *lines, options_, std::min(timeout, options_.timeout));
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
