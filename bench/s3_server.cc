// SPDX-License-Identifier: Apache-2.0
// The fake S3 of the tests as a program, for bench/backups.py: prints its port and how to log in, ends with
// its standard input. With --tls it speaks TLS, and the last line is the file of the authority to trust.
// Unlike s3rver it completes an upload in parts without copying it, as real storages do.
#include <fmt/format.h>

#include <cstdio>
#include <optional>
#include <string_view>

#include "support/certificate.h"
#include "support/fake_s3.h"

int main(int argc, char** argv) {
  collect::test::FakeS3::Options options;
  std::optional<collect::test::Certificate> certificate;
  if (argc > 1 && std::string_view(argv[1]) == "--tls") {
    certificate.emplace();
    options.certificate_file = certificate->cert();
    options.key_file = certificate->key();
  }
  options.unsigned_too = true;
  const collect::test::FakeS3 server(options);
  fmt::print("{}\n{}\n{}\n{}\n{}\n{}\n", server.port(), options.bucket, options.credentials.access_key,
             options.credentials.secret_key, options.credentials.region, options.certificate_file);
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
}
