// SPDX-License-Identifier: Apache-2.0
// The S3 adapter on the fake that checks its signatures.
#pragma once

#include "backend/s3/s3_object_store.h"
#include "support/certificate.h"
#include "support/fake_s3.h"

namespace collect::backups::test {

inline collect::test::FakeS3::Options two_keys_a_page() {
  collect::test::FakeS3::Options options;
  options.page = 2;
  return options;
}

inline collect::test::FakeS3::Options over_tls(const collect::test::Certificate& certificate,
                                               collect::test::FakeS3::Options options) {
  options.certificate_file = certificate.cert();
  options.key_file = certificate.key();
  return options;
}

inline s3::S3Options s3_options_for(const collect::test::FakeS3& fake, bool path_style = true) {
  s3::S3Options options;
  options.scheme = fake.options().certificate_file.empty() ? "http" : "https";
  options.sign_payloads = fake.options().certificate_file.empty();
  options.ca_file = fake.options().certificate_file;
  options.host = (path_style ? "127.0.0.1:" : "localhost:") + std::to_string(fake.port());
  options.bucket = fake.options().bucket;
  options.path_style = path_style;
  options.part_size = std::size_t{5} * 1024 * 1024;  // the least that S3 takes
  options.first_pause = std::chrono::milliseconds(2);
  const auto& credentials = fake.options().credentials;
  options.credentials = {credentials.access_key, credentials.secret_key, credentials.region};
  return options;
}

}  // namespace collect::backups::test
