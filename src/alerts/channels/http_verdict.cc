// SPDX-License-Identifier: Apache-2.0
#include "alerts/channels/http_verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/excerpt.h"

namespace collect::alerts {
namespace {

constexpr std::size_t kAnswerBytes = std::size_t{64} * 1024;

}  // namespace

Result<std::string> http_verdict(std::string_view url, const Result<net::ClientAnswer>& answer,
                                 std::initializer_list<int> also_later) {
  if (!answer) return answer.failure();
  const int status = answer->status;
  if (status >= 200 && status <= 299) return fmt::format("HTTP {}", status);
  const auto said = net::excerpt(answer->body);
  const auto message =
      fmt::format("{} answered HTTP {}{}{}", net::http_origin(url), status, said.empty() ? "" : ": ", said);
  const bool later = status == 408 || status == 425 || status == 429 || status >= 500 ||
                     std::find(also_later.begin(), also_later.end(), status) != also_later.end();
  return later ? unavailable(message) : invalid(message);
}

net::HttpClientOptions delivery_client_options(Duration timeout, const std::string& ca_file) {
  net::HttpClientOptions options;
  options.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(timeout);
  options.max_answer_bytes = kAnswerBytes;
  options.long_answer = net::LongAnswer::cut;
  options.ca_file = ca_file;
  return options;
}

}  // namespace collect::alerts
