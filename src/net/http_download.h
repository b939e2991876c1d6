// SPDX-License-Identifier: Apache-2.0
// One HTTP request whose answer's body is pulled piece by piece, over libcurl: however long it is, at most
// 256 KiB and what the kernel buffers are held, and the peer waits while nobody pulls. Otherwise as
// HttpClient. For one thread at a time; each has a connection of its own.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "net/http_client.h"

namespace collect::net {

struct HttpDownloadOptions {
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds idle_timeout{30'000};  // the peer's silence while we wait for it
  std::string ca_file;
};

class HttpDownload {
 public:
  // Returns when the answer's head is there, whatever its status. Failures as HttpClient::send.
  static Result<std::unique_ptr<HttpDownload>> open(ClientRequest request, HttpDownloadOptions options);
  ~HttpDownload();
  HttpDownload(const HttpDownload&) = delete;
  HttpDownload& operator=(const HttpDownload&) = delete;

  // Status and headers; the body is empty.
  [[nodiscard]] const ClientAnswer& head() const;
  // At least one byte and at most `into.size()` of the body; how many, 0 at its end. `unavailable`: it broke
  // off, or nothing came for too long.
  Result<std::size_t> read(std::span<char> into);

 private:
  class Transfer;
  explicit HttpDownload(std::unique_ptr<Transfer> transfer);
  std::unique_ptr<Transfer> transfer_;
};

}  // namespace collect::net
