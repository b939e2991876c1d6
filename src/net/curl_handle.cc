// SPDX-License-Identifier: Apache-2.0
#include "net/curl_handle.h"

#include <algorithm>
#include <stdexcept>

namespace collect::net {
namespace {

// libcurl's own set-up is not safe to run twice at the same time.
void set_up_once() {
  static const CURLcode kResult = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (kResult != CURLE_OK) throw std::runtime_error("libcurl could not be set up");
}

long at_least_one(std::chrono::milliseconds time) {
  // 0 means "for ever" to libcurl.
  return static_cast<long>(std::max<std::chrono::milliseconds::rep>(1, time.count()));
}

}  // namespace

CurlHandle::CurlHandle() : curl_((set_up_once(), curl_easy_init())) {
  if (curl_ == nullptr) throw std::bad_alloc();
}

CurlHandle::~CurlHandle() {
  curl_easy_cleanup(curl_);
}

void CurlHandle::reset(const std::string& ca_file) {
  curl_easy_reset(curl_);
  error_[0] = '\0';
  set(CURLOPT_ERRORBUFFER, error_.data());
  set(CURLOPT_NOSIGNAL, 1L);
  // The environment's proxy variables are no settings of ours.
  set(CURLOPT_PROXY, "");
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!ca_file.empty()) set(CURLOPT_CAINFO, ca_file.c_str());
}

void CurlHandle::set_timeouts(std::chrono::milliseconds connect, std::chrono::milliseconds whole) {
  set(CURLOPT_CONNECTTIMEOUT_MS, at_least_one(std::min(connect, whole)));
  set(CURLOPT_TIMEOUT_MS, at_least_one(whole));
}

CURLcode CurlHandle::perform() {
  return curl_easy_perform(curl_);
}

std::string CurlHandle::error(CURLcode code) const {
  return error_[0] != '\0' ? error_.data() : curl_easy_strerror(code);
}

void CurlHandle::check(CURLcode code) {
  if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
  if (code != CURLE_OK) throw std::invalid_argument(curl_easy_strerror(code));
}

}  // namespace collect::net
