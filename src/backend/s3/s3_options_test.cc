// SPDX-License-Identifier: Apache-2.0
#include "backend/s3/s3_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/certificate.h"

namespace collect::s3 {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Settings settings(std::string endpoint) {
  Settings settings;
  settings.s3_endpoint = std::move(endpoint);
  settings.s3_access_key = "AK";
  settings.s3_secret_key = "SK";
  settings.backup_s3_region = "eu-south-1";
  settings.backup_s3_bucket = "collect";
  return settings;
}

TEST(S3Options, NameTheHostAsItIsSigned) {
  const auto host = [](std::string endpoint) { return s3_options(settings(std::move(endpoint)))->host; };
  EXPECT_EQ(host("https://S3.Example.org"), "s3.example.org");
  EXPECT_EQ(host("https://s3.example.org:443/"), "s3.example.org");
  EXPECT_EQ(host("https://s3.example.org:9000"), "s3.example.org:9000");
  EXPECT_EQ(host("http://localhost:80"), "localhost");
}

TEST(S3Options, RefuseWhatIsNoEndpoint) {
  for (const char* endpoint :
       {"https://", "ftp://s3.example.org", "https://user:pw@s3.example.org", "https://s3.example.org/bucket",
        "https://s3.example.org?x=1", "s3.example.org"}) {
    const auto options = s3_options(settings(endpoint));
    ASSERT_FALSE(options) << endpoint;
    EXPECT_EQ(options.failure().kind, FailureKind::invalid);
    EXPECT_THAT(options.failure().message, HasSubstr("S3_ENDPOINT"));
  }
}

TEST(S3Options, SpeakPlainHttpToThisMachineOnly) {
  for (const char* endpoint : {"http://127.0.0.1:9000", "http://127.8.9.1", "http://[::1]:9000",
                               "http://localhost:9000", "http://s3.localhost"}) {
    Settings local = settings(endpoint);
    local.backup_s3_use_path_style = true;
    const auto options = s3_options(local);
    ASSERT_TRUE(options) << endpoint;
    EXPECT_FALSE(options->sign_payloads) << endpoint;
  }
  for (const char* endpoint : {"http://s3.example.org", "http://10.0.0.1", "http://localhost.example.org"}) {
    Settings remote = settings(endpoint);
    remote.backup_s3_use_path_style = true;
    const auto options = s3_options(remote);
    ASSERT_FALSE(options) << endpoint;
    EXPECT_THAT(options.failure().message, HasSubstr("BACKUP_S3_ALLOW_INSECURE"));
    remote.backup_s3_allow_insecure = true;
    const auto allowed = s3_options(remote);
    ASSERT_TRUE(allowed) << endpoint;
    EXPECT_TRUE(allowed->sign_payloads) << endpoint;
  }
}

TEST(S3Options, PutNoBucketInFrontOfAnAddress) {
  const auto options = s3_options(settings("https://192.0.2.1"));
  ASSERT_FALSE(options);
  EXPECT_THAT(options.failure().message, HasSubstr("BACKUP_S3_USE_PATH_STYLE=true"));
}

TEST(S3Options, NameABadFileOfAuthorities) {
  EXPECT_EQ(s3_options(settings("https://s3.example.org"))->ca_file, "");
  const test::Certificate authority;
  Settings own = settings("https://s3.example.org");
  own.backup_s3_ca_file = authority.cert();
  EXPECT_EQ(s3_options(own)->ca_file, authority.cert());
  for (const std::string& file : {std::string("none.pem"), std::string("/"), authority.key()}) {
    own.backup_s3_ca_file = file;
    const auto options = s3_options(own);
    ASSERT_FALSE(options) << file;
    EXPECT_EQ(options.failure().kind, FailureKind::invalid);
    EXPECT_THAT(options.failure().message, AllOf(HasSubstr("BACKUP_S3_CA_FILE"), HasSubstr(file)));
  }
}

}  // namespace
}  // namespace collect::s3
