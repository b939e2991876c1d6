// SPDX-License-Identifier: Apache-2.0
// The HTTP client against OpenSSL's own server: whom it trusts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http_client.h"
#include "support/certificate.h"

namespace collect::net {
namespace {

using testing::HasSubstr;

TEST(HttpsTest, TrustsNobodyWhomItWasNotToldToTrust) {
  const test::Certificate certificate;
  const test::Certificate another;
  const int port = test::free_port();
  test::Process server({.command = {"openssl", "s_server", "-accept", "127.0.0.1:" + std::to_string(port),
                                    "-cert", certificate.cert(), "-key", certificate.key(), "-www"}});
  ASSERT_TRUE(server.wait_for_output("ACCEPT")) << server.err();
  const ClientRequest request{"GET", "https://127.0.0.1:" + std::to_string(port) + "/", {}, ""};

  const auto stranger = HttpClient({}).send(request);
  ASSERT_FALSE(stranger.ok());
  EXPECT_EQ(stranger.failure().kind, FailureKind::unavailable);
  EXPECT_THAT(stranger.failure().message, HasSubstr("certificate"));

  HttpClientOptions options;
  options.ca_file = another.cert();
  EXPECT_FALSE(HttpClient(options).send(request).ok());

  options.ca_file = certificate.cert();
  const auto known = HttpClient(options).send(request);
  ASSERT_TRUE(known.ok()) << known.failure().message;
  EXPECT_EQ(known->status, 200);

  // The certificate is one of the address, not of the name.
  const auto other_name =
      HttpClient(options).send({"GET", "https://localhost:" + std::to_string(port) + "/", {}, ""});
  ASSERT_FALSE(other_name.ok());
  EXPECT_EQ(other_name.failure().kind, FailureKind::unavailable);
}

}  // namespace
}  // namespace collect::net
