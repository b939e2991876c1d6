// SPDX-License-Identifier: Apache-2.0
// One connection to the fake S3, plain or within TLS. Blocks; the thread has to ignore SIGPIPE.
#pragma once

#include <openssl/ssl.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace collect::test {

struct FreeTls {
  void operator()(SSL* tls) const { SSL_free(tls); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeTls>;

// Throws std::runtime_error when the files do not do.
TlsContext tls_context(const std::string& certificate_file, const std::string& key_file);

class FakeS3Wire {
 public:
  // `context` nullptr: plain.
  FakeS3Wire(int socket, SSL_CTX* context);

  // False: the other end does not want to.
  bool agree();
  // Appends what comes; false at the end.
  bool receive(std::string& buffer);
  bool send(std::string_view bytes);
  bool send_file(int file, std::uint64_t offset, std::uint64_t size);

 private:
  int socket_;
  std::unique_ptr<SSL, FreeTls> tls_;
};

}  // namespace collect::test
