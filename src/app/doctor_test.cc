// SPDX-License-Identifier: Apache-2.0
#include "app/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/certificate.h"

namespace collect::app {
namespace {

using backend::Finding;
using backend::State;
using testing::HasSubstr;

constexpr std::uint64_t kGib = std::uint64_t{1} << 30U;

State disk(std::uint64_t free, std::uint64_t total) {
  return space_findings("./data", {.free = free, .total = total}, true).front().state;
}

TEST(Doctor, SeesACertificateEnd) {
  const test::Certificate certificate(test::KeyKind::ec, 30);
  Settings settings;
  settings.tls_cert_file = certificate.cert();
  settings.tls_key_file = certificate.key();
  const Time now = SystemClock().now();
  EXPECT_EQ(certificate_finding(settings, now).state, State::ok);
  EXPECT_EQ(certificate_finding(settings, now + std::chrono::days(17)).state, State::warning);
  const Finding over = certificate_finding(settings, now + std::chrono::days(31));
  EXPECT_EQ(over.state, State::failure);
  EXPECT_THAT(over.found, HasSubstr("nobody can connect"));
  settings.tls_key_file = certificate.cert();
  EXPECT_THAT(certificate_finding(settings, now).found, HasSubstr("TLS_KEY_FILE: expected a private key"));
}

TEST(Doctor, SaysWhereSecretsPassInTheClear) {
  Settings settings;
  for (const char* inside : {"127.0.0.1:8081", "[::1]:8081", "localhost:80"}) {
    settings.listen_address = inside;
    EXPECT_EQ(certificate_finding(settings, Time()).state, State::ok) << inside;
  }
  for (const char* outside : {":8081", "0.0.0.0:8081", "192.0.2.7:8081", "[::]:8081"}) {
    settings.listen_address = outside;
    EXPECT_EQ(certificate_finding(settings, Time()).state, State::warning) << outside;
  }
}

TEST(Doctor, KnowsWhenADiskIsFull) {
  EXPECT_EQ(disk(10 * kGib, 100 * kGib), State::ok);
  EXPECT_EQ(disk(2 * kGib, 10 * kGib), State::ok);
  EXPECT_EQ(disk(4 * kGib, 100 * kGib), State::warning);
  EXPECT_EQ(disk(kGib / 2, 2 * kGib), State::warning);
  EXPECT_EQ(disk(kGib / 10, kGib), State::failure);
  EXPECT_EQ(space_findings("/x", {.free = 10 * kGib, .total = 20 * kGib}, true).front().found,
            "10.0 of 20.0 GiB free in /x");
}

TEST(Doctor, WantsADatabaseOnALocalDisk) {
  const Space space{.free = 10 * kGib, .total = 20 * kGib, .network = true};
  EXPECT_EQ(space_findings("/x", space, true).back().state, State::warning);
  EXPECT_EQ(space_findings("/x", space, false).back().state, State::ok);
}

}  // namespace
}  // namespace collect::app
