// SPDX-License-Identifier: Apache-2.0
#include "net/http_download.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "net/curl_handle.h"
#include "net/curl_request.h"

namespace collect::net {
namespace {

constexpr std::size_t kMostHeld = std::size_t{128} * 1024;
constexpr long kReadSize = 128L * 1024;
constexpr std::chrono::milliseconds kPoll{250};

}  // namespace

class HttpDownload::Transfer {
 public:
  Transfer(ClientRequest request, CurlList lines, HttpDownloadOptions options)
      : request_(std::move(request)), lines_(std::move(lines)), options_(std::move(options)) {
    if (multi_ == nullptr) throw std::bad_alloc();
    prepare(curl_, request_, lines_, options_.ca_file);
    curl_.set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
    curl_.set(CURLOPT_BUFFERSIZE, kReadSize);
    curl_.set(CURLOPT_WRITEFUNCTION, &Transfer::take_body);
    curl_.set(CURLOPT_WRITEDATA, this);
    curl_.set(CURLOPT_HEADERFUNCTION, &Transfer::take_header);
    curl_.set(CURLOPT_HEADERDATA, this);
    curl_multi_add_handle(multi_, curl_.get());
  }
  ~Transfer() {
    curl_multi_remove_handle(multi_, curl_.get());
    curl_multi_cleanup(multi_);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  Result<void> wait_for_head() {
    while (held() == 0 && !ended_) {
      if (auto moved = advance(); !moved) return moved;
    }
    if (held() == 0 && result_ != CURLE_OK) return broken();
    long status = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
    answer_.status = static_cast<int>(status);
    return {};
  }

  Result<std::size_t> read(std::span<char> into) {
    while (held() == 0) {
      if (ended_ && result_ == CURLE_OK) return std::size_t{0};
      if (ended_) return broken();
      if (auto moved = advance(); !moved) return moved.failure();
    }
    const std::size_t count = std::min(into.size(), held());
    body_.copy(into.data(), count, taken_);
    taken_ += count;
    return count;
  }

  [[nodiscard]] const ClientAnswer& answer() const { return answer_; }

 private:
  static std::size_t take_body(const char* data, std::size_t size, std::size_t count, void* target) {
    auto& self = *static_cast<Transfer*>(target);
    if (self.held() >= kMostHeld) {
      self.paused_ = true;
      return CURL_WRITEFUNC_PAUSE;
    }
    self.body_.erase(0, self.taken_);
    self.taken_ = 0;
    self.body_.append(data, size * count);
    return size * count;
  }
  static std::size_t take_header(const char* data, std::size_t size, std::size_t count, void* target) {
    read_header_line({data, size * count}, static_cast<Transfer*>(target)->answer_.headers);
    return size * count;
  }

  [[nodiscard]] std::size_t held() const { return body_.size() - taken_; }

  // Lets libcurl work until there is something new: bytes, the end, or too much silence.
  Result<void> advance() {
    const auto deadline = std::chrono::steady_clock::now() + options_.connect_timeout + options_.idle_timeout;
    if (paused_) {
      paused_ = false;
      curl_easy_pause(curl_.get(), CURLPAUSE_CONT);
    }
    while (held() == 0 && !ended_) {
      int running = 0;
      curl_multi_perform(multi_, &running);
      int left = 0;
      while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        ended_ = true;
        result_ = message->data.result;  // NOLINT(cppcoreguidelines-pro-type-union-access): as documented
      }
      if (held() > 0 || ended_) break;
      if (std::chrono::steady_clock::now() >= deadline)
        return unavailable(fmt::format("{} fell silent", http_origin(request_.url)));
      curl_multi_poll(multi_, nullptr, 0, static_cast<int>(kPoll.count()), nullptr);
    }
    return {};
  }

  [[nodiscard]] Failure broken() const {
    return unavailable(fmt::format("{} {}: {}", http_origin(request_.url),
                                   answer_.headers.empty() ? "gave no answer" : "broke off its answer",
                                   curl_.error(result_)));
  }

  const ClientRequest request_;
  const CurlList lines_;
  const HttpDownloadOptions options_;
  CurlHandle curl_;  // sets libcurl up, so before multi_
  CURLM* const multi_ = curl_multi_init();
  ClientAnswer answer_;
  std::string body_;       // what came
  std::size_t taken_ = 0;  // how much of it was read
  bool paused_ = false;
  bool ended_ = false;
  CURLcode result_ = CURLE_OK;  // once ended_
};

HttpDownload::HttpDownload(std::unique_ptr<Transfer> transfer) : transfer_(std::move(transfer)) {}
HttpDownload::~HttpDownload() = default;

Result<std::unique_ptr<HttpDownload>> HttpDownload::open(ClientRequest request, HttpDownloadOptions options) {
  auto lines = header_lines(request);
  if (!lines) return lines.failure();
  auto transfer = std::make_unique<Transfer>(std::move(request), std::move(*lines), std::move(options));
  if (auto waited = transfer->wait_for_head(); !waited) return waited.failure();
  return std::unique_ptr<HttpDownload>(new HttpDownload(std::move(transfer)));
}

const ClientAnswer& HttpDownload::head() const {
  return transfer_->answer();
}

Result<std::size_t> HttpDownload::read(std::span<char> into) {
  return transfer_->read(into);
}

}  // namespace collect::net
