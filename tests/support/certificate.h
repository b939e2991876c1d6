// SPDX-License-Identifier: Apache-2.0
// A certificate of 127.0.0.1 that only its own file vouches for.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "support/process.h"

namespace collect::test {

enum class KeyKind { ec, rsa };

class Certificate {
 public:
  explicit Certificate(KeyKind kind = KeyKind::ec, int days = 2) {
    std::vector<std::string> command = {"openssl", "req", "-x509", "-nodes", "-days", std::to_string(days)};
    for (const char* word : {"-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-newkey"}) {
      command.emplace_back(word);
    }
    if (kind == KeyKind::rsa) command.emplace_back("rsa:2048");
    if (kind == KeyKind::ec) {
      for (const char* word : {"ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"}) command.emplace_back(word);
    }
    for (const std::string& word : {std::string("-keyout"), key(), std::string("-out"), cert()}) {
      command.push_back(word);
    }
    const auto made = run({.command = command});
    if (made.exit_code != 0) throw std::runtime_error("openssl made no certificate: " + made.err);
  }
  [[nodiscard]] std::string cert() const { return folder_.path() / "cert.pem"; }
  [[nodiscard]] std::string key() const { return folder_.path() / "key.pem"; }

 private:
  TempDir folder_;
};

}  // namespace collect::test
