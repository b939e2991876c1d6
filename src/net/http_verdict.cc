// SPDX-License-Identifier: Apache-2.0
#include "net/http_verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/excerpt.h"

namespace collect::net {
namespace {

constexpr std::size_t kAnswerBytes = std::size_t{64} * 1024;
constexpr std::size_t kTellingPart = 7;  // characters; shorter ones stand in any text

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

bool repeats(std::string_view text, const std::vector<std::string>& confidential) {
  const std::string said = lower(text);
  return std::any_of(confidential.begin(), confidential.end(), [&](const std::string& part) {
    return part.size() >= kTellingPart && said.find(lower(part)) != std::string::npos;
  });
}

}  // namespace

Result<std::string> http_verdict(std::string_view url, const Result<ClientAnswer>& answer,
                                 std::initializer_list<int> also_later,
                                 const std::vector<std::string>& confidential) {
  if (!answer) return answer.failure();
  const int status = answer->status;
  if (status >= 200 && status <= 299) return fmt::format("HTTP {}", status);
  const auto said = repeats(answer->body, confidential)
                        ? "(its text repeats what is secret, and is not shown)"
                        : excerpt(answer->body);
  const auto message =
      fmt::format("{} answered HTTP {}{}{}", http_origin(url), status, said.empty() ? "" : ": ", said);
  const bool later = status == 408 || status == 425 || status == 429 || status >= 500 ||
                     std::find(also_later.begin(), also_later.end(), status) != also_later.end();
  return later ? unavailable(message) : invalid(message);
}

std::vector<std::string> confidential_parts(std::string_view url) {
  std::vector<std::string> parts;
  const std::size_t scheme = url.find("://");
  std::size_t at = url.find_first_of("/?#", scheme == std::string_view::npos ? 0 : scheme + 3);
  while (at < url.size()) {
    const std::size_t end = std::min(url.find_first_of("/?#&=", at + 1), url.size());
    if (end > at + 1) parts.emplace_back(url.substr(at + 1, end - at - 1));
    at = end;
  }
  return parts;
}

HttpClientOptions posting_client_options(Duration timeout, const std::string& ca_file) {
  HttpClientOptions options;
  options.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(timeout);
  options.max_answer_bytes = kAnswerBytes;
  options.long_answer = LongAnswer::cut;
  options.ca_file = ca_file;
  return options;
}

}  // namespace collect::net
