// SPDX-License-Identifier: Apache-2.0
#include "net/curl_request.h"

#include <algorithm>

namespace collect::net {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7F;
  });
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

}  // namespace

Result<CurlList> header_lines(const ClientRequest& request) {
  if (auto checked = check_http_url(request.url); !checked) return checked.failure();
  if (!is_token(request.method)) return invalid("the method to be sent is none: " + shown(request.method));
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

void prepare(CurlHandle& curl, const ClientRequest& request, const CurlList& lines,
             const std::string& ca_file) {
  curl.reset(ca_file);
  curl.set(CURLOPT_PROTOCOLS_STR, "http,https");
  curl.set(CURLOPT_FOLLOWLOCATION, 0L);
  curl.set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl.set(CURLOPT_PATH_AS_IS, 1L);
  curl.set(CURLOPT_USERAGENT, "collect");
  curl.set(CURLOPT_URL, request.url.c_str());
  curl.set(CURLOPT_HTTPHEADER, lines.get());
  set_method(curl, request);
}

void read_header_line(std::string_view line, std::vector<Header>& headers) {
  // A 100 Continue has a head of its own before the answer's.
  if (line.starts_with("HTTP/")) headers.clear();
  if (const auto colon = line.find(':'); colon != std::string_view::npos)
    headers.push_back({std::string(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1)))});
}

}  // namespace collect::net
