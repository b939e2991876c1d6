// SPDX-License-Identifier: Apache-2.0
// A certificate of 127.0.0.1 that only its own file vouches for.
#pragma once

#include <stdexcept>
#include <string>

#include "support/process.h"

namespace collect::test {

class Certificate {
 public:
  Certificate() {
    const auto made =
        run({.command = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key(), "-out", cert()}});
    if (made.exit_code != 0) throw std::runtime_error("openssl made no certificate: " + made.err);
  }
  [[nodiscard]] std::string cert() const { return folder_.path() / "cert.pem"; }
  [[nodiscard]] std::string key() const { return folder_.path() / "key.pem"; }

 private:
  TempDir folder_;
};

}  // namespace collect::test
