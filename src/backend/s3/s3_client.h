// SPDX-License-Identifier: Apache-2.0
// One bucket of an S3: calls are signed, sent over kept connections and, where the fault is a passing one,
// repeated with growing pauses.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/s3/s3_options.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/http_client.h"
#include "net/http_download.h"

namespace collect::s3 {

struct Call {
  std::string method;
  std::string key = {};  // empty: the bucket itself
  Query query = {};
  std::vector<net::Header> headers = {};
  std::string_view body = {};
  std::chrono::milliseconds timeout{30'000};  // of each attempt
  int attempts = 5;
  const std::atomic<bool>* stop = nullptr;  // set: no further attempt
  // On a connection of its own. On a kept one that turns out to be dead libcurl sends again by itself, so
  // that one attempt may reach S3 twice.
  bool fresh = false;
  bool optional = false;  // not every storage has this call: 405 and 501 are answers
};

struct Reply {
  net::ClientAnswer answer;  // 2xx, or what Call::optional allows
  int attempts = 1;
};

// Safe to use from several threads.
class S3Client {
 public:
  explicit S3Client(S3Options options);

  // Every call must bear being repeated: an attempt whose answer got lost may have worked. `not_found`: S3
  // says 404 about the key or the upload. `unavailable`: anything else but 2xx; the message says what to do.
  Result<Reply> call(const Call& call) const;

  // A GET whose body is pulled. Failures likewise; `invalid`: the range is not within the object.
  Result<std::unique_ptr<net::HttpDownload>> download(const Call& call) const;

  [[nodiscard]] const S3Options& options() const { return options_; }
  // "bucket collect at https://s3.example.org".
  [[nodiscard]] std::string name() const;

 private:
  [[nodiscard]] net::ClientRequest signed_request(const Call& call) const;
  Result<std::unique_ptr<net::HttpDownload>> open(const Call& call) const;
  Result<net::ClientAnswer> attempt(const Call& call) const;
  [[nodiscard]] Failure refusal(int status, const std::string& code) const;

  const S3Options options_;
  const SystemClock clock_;
  mutable net::HttpClient http_;
};

}  // namespace collect::s3
