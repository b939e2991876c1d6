// SPDX-License-Identifier: Apache-2.0
#include "fleet/client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <stdexcept>
#include <thread>

namespace collect::fleet {
namespace {

std::size_t keep_body(const char* data, std::size_t size, std::size_t count, void* answer) {
  static_cast<Answer*>(answer)->body.append(data, size * count);
  return size * count;
}

// libcurl's own set-up is not safe to run twice at the same time.
void set_up_once() {
  static const CURLcode kResult = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (kResult != CURLE_OK) throw std::runtime_error("libcurl could not be set up");
}

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderLines = std::unique_ptr<curl_slist, FreeList>;

HeaderLines header_lines(std::initializer_list<const char*> lines) {
  HeaderLines list;
  for (const char* line : lines) {
    auto* longer = curl_slist_append(list.get(), line);
    if (longer == nullptr) throw std::bad_alloc();
    (void)list.release();
    list.reset(longer);
  }
  return list;
}

}  // namespace

struct Client::Connection {
  Connection() {
    set_up_once();
    curl = curl_easy_init();
    if (curl == nullptr) throw std::bad_alloc();
  }
  ~Connection() { curl_easy_cleanup(curl); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  template <class Value>
  void set(CURLoption option, Value value) {
    const auto code = curl_easy_setopt(curl, option, value);
    if (code != CURLE_OK) throw std::invalid_argument(curl_easy_strerror(code));
  }

  CURL* curl = nullptr;
  std::array<char, CURL_ERROR_SIZE> error{};
  // No "Expect: 100-continue": it costs a round trip that a fleet of simulated systems on one machine has no
  // use for.
  HeaderLines with_body = header_lines({"Content-Type: application/json", "Expect:"});
  // A real heartbeat has neither a length nor a type.
  HeaderLines without_body = header_lines({"Content-Type:", "Content-Length:", "Expect:"});
};

Client::Client(std::string base_url, std::chrono::milliseconds timeout)
    : base_url_(std::move(base_url)), connection_(std::make_unique<Connection>()) {
  auto& c = *connection_;
  c.set(CURLOPT_NOSIGNAL, 1L);
  c.set(CURLOPT_ERRORBUFFER, c.error.data());
  c.set(CURLOPT_WRITEFUNCTION, &keep_body);
  c.set(CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  c.set(CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
  c.set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  c.set(CURLOPT_PROXY, "");
}

Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<Answer> Client::run(std::string_view path, const Credentials& credentials) {
  auto& c = *connection_;
  Answer answer;
  const auto url = base_url_ + std::string(path);
  c.set(CURLOPT_URL, url.c_str());
  c.set(CURLOPT_USERNAME, credentials.system_key.c_str());
  c.set(CURLOPT_PASSWORD, credentials.system_secret.c_str());
  c.set(CURLOPT_WRITEDATA, &answer);
  c.error[0] = '\0';
  const auto code = curl_easy_perform(c.curl);
  if (code != CURLE_OK) {
    return unavailable(fmt::format("{} gave no answer: {}", url,
                                   c.error[0] != '\0' ? c.error.data() : curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(c.curl, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  curl_off_t seconds = 0;  // 0 too when there was none
  curl_easy_getinfo(c.curl, CURLINFO_RETRY_AFTER, &seconds);
  if (seconds > 0) answer.retry_after = std::chrono::seconds(seconds);
  return answer;
}

Result<Answer> Client::get(std::string_view path, const Credentials& credentials) {
  connection_->set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
  connection_->set(CURLOPT_HTTPGET, 1L);
  return run(path, credentials);
}

Result<Answer> Client::post(std::string_view path, std::string_view body, const Credentials& credentials) {
  auto& c = *connection_;
  c.set(CURLOPT_POST, 1L);
  c.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  c.set(CURLOPT_POSTFIELDS, body.empty() ? "" : body.data());
  c.set(CURLOPT_HTTPHEADER, body.empty() ? c.without_body.get() : c.with_body.get());
  return run(path, credentials);
}

Result<Answer> Client::post_until_taken(std::string_view path, std::string_view body,
                                        const Credentials& credentials, const Patient& patient) {
  for (;;) {
    auto answer = post(path, body, credentials);
    if (!answer || (answer->status != 429 && answer->status != 503)) return answer;
    const auto pause = answer->retry_after.value_or(std::chrono::seconds(1));
    if (!patient(pause)) return answer;
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace collect::fleet
