// SPDX-License-Identifier: Apache-2.0
// What both clients, HTTP's and SMTP's, share: one easy handle of libcurl and its lists, owned.
#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <memory>
#include <new>
#include <string>

namespace collect::net {

// One handle, for one thread at a time. Throws std::bad_alloc.
class CurlHandle {
 public:
  CurlHandle();
  ~CurlHandle();
  CurlHandle(const CurlHandle&) = delete;
  CurlHandle& operator=(const CurlHandle&) = delete;

  [[nodiscard]] CURL* get() const { return curl_; }
  // Forgets all options but keeps connections open. Then: no signals, no proxy, TLS 1.2 or later with
  // certificates that are checked against the system's authorities and those in `ca_file` (empty: none).
  void reset(const std::string& ca_file);
  // A refused option is a bug and throws std::invalid_argument.
  template <class Value>
  void set(CURLoption option, Value value) {
    check(curl_easy_setopt(curl_, option, value));
  }
  void set_timeouts(std::chrono::milliseconds connect, std::chrono::milliseconds whole);

  CURLcode perform();
  // What went wrong in the last perform(), for people.
  [[nodiscard]] std::string error(CURLcode code) const;

 private:
  static void check(CURLcode code);

  CURL* curl_;
  std::array<char, CURL_ERROR_SIZE> error_{};
};

class CurlList {
 public:
  void add(const std::string& line) {
    auto* longer = curl_slist_append(list_.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    (void)list_.release();  // the longer list owns it now
    list_.reset(longer);
  }
  [[nodiscard]] curl_slist* get() const { return list_.get(); }

 private:
  struct Free {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  std::unique_ptr<curl_slist, Free> list_;
};

}  // namespace collect::net
