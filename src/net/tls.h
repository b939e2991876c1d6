// SPDX-License-Identifier: Apache-2.0
// What a server needs for TLS: its certificate with the key, as read from two PEM files. TLS 1.2 and 1.3
// only, with ciphers that keep past sessions secret. A value that connections share; immutable.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

struct ssl_ctx_st;

namespace collect::net {

class TlsIdentity {
 public:
  // `certificate_file`: the server's certificate, then those between it and the root. `key_file`: its private
  // key, without a password. `invalid` names the setting, the file, and what is wrong with it: not readable,
  // not PEM, a key of another certificate. Never says anything of the key itself.
  static Result<std::shared_ptr<const TlsIdentity>> load(const std::string& certificate_file,
                                                         const std::string& key_file);
  ~TlsIdentity();
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;

  // When the certificate ends.
  [[nodiscard]] Time ends_at() const { return ends_at_; }
  [[nodiscard]] ssl_ctx_st* context() const { return context_; }

 private:
  explicit TlsIdentity(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
  Time ends_at_{};
};

// That `file` has certificates in PEM form, of authorities to trust. `invalid` names the setting, the file,
// and what is wrong with it.
Result<void> check_authorities(std::string_view setting, const std::string& file);

}  // namespace collect::net
