// SPDX-License-Identifier: Apache-2.0
#include "systems/revocation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace collect::systems {
namespace {

constexpr std::string_view kKey = "NETH-0001-0002-0003-0004-0005-0006-0007-0008";
constexpr std::string_view kHmacSecret = "an-internal-secret-of-32-characters!";
// Computed with Python's hmac module.
constexpr std::string_view kMac = "9928f58c0002ea995a39d20e7c71087e20df64df2865ae9deb56dc74f50b852d";

std::string with_mac(std::string_view mac) {
  return std::string(kKey) + "|" + std::string(mac);
}

TEST(Revocation, ChannelCarriesTheEnvironment) {
  EXPECT_EQ(revocation_channel("production"), "my:auth:invalidate:production");
}

TEST(Revocation, PayloadIsTheKeyWithAMacWhereThereIsASecret) {
  EXPECT_EQ(revocation_payload(kKey, ""), kKey);
  EXPECT_EQ(revocation_payload(kKey, kHmacSecret), with_mac(kMac));
}

TEST(Revocation, WithoutASecretEveryKeyCounts) {
  EXPECT_EQ(revoked_key(kKey, "").value(), kKey);
  EXPECT_EQ(revoked_key(with_mac("whatever"), "").value(), kKey);
}

TEST(Revocation, WithASecretOnlyTheRightMacCounts) {
  EXPECT_EQ(revoked_key(with_mac(kMac), kHmacSecret).value(), kKey);
  EXPECT_EQ(
      revoked_key(with_mac("9928F58C0002EA995A39D20E7C71087E20DF64DF2865AE9DEB56DC74F50B852D"), kHmacSecret)
          .value(),
      kKey);
  for (const std::string& wrong :
       {std::string(kKey), with_mac(""), with_mac(kMac.substr(1)), with_mac(std::string(kMac) + "|"),
        "X" + with_mac(kMac), with_mac(std::string(64, '0'))}) {
    const auto refused = revoked_key(wrong, kHmacSecret);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.failure().kind, FailureKind::invalid);
    EXPECT_THAT(refused.failure().message, testing::Not(testing::HasSubstr(kHmacSecret)));
  }
}

TEST(Revocation, GarbageIsNoKey) {
  for (const std::string& wrong : {std::string(), std::string("|"), std::string("a b"),
                                   std::string("\xff\xfe"), std::string("a\0b", 3), std::string(256, 'k')}) {
    EXPECT_FALSE(revoked_key(wrong, ""));
  }
}

TEST(RevocationWatch, TellsOfEachNewRevisionOnce) {
  Result<std::int64_t> revision = std::int64_t{7};
  int told = 0;
  RevocationWatch watch([&] { return revision; }, [&] { ++told; });
  watch.poll();
  EXPECT_EQ(told, 1);  // what was remembered before the first look may be older than it
  watch.poll();
  EXPECT_EQ(told, 1);
  revision = std::int64_t{8};
  watch.poll();
  watch.poll();
  EXPECT_EQ(told, 2);
  revision = std::int64_t{3};  // a database put back from a backup
  watch.poll();
  EXPECT_EQ(told, 3);
}

TEST(RevocationWatch, AnOutageChangesNothingByItself) {
  Result<std::int64_t> revision = std::int64_t{7};
  int told = 0;
  RevocationWatch watch([&] { return revision; }, [&] { ++told; });
  watch.poll();
  revision = unavailable("the database is away");
  watch.poll();
  watch.poll();
  revision = std::int64_t{7};
  watch.poll();
  EXPECT_EQ(told, 1);
  revision = unavailable("the database is away");
  watch.poll();
  revision = std::int64_t{8};
  watch.poll();
  EXPECT_EQ(told, 2);
}

}  // namespace
}  // namespace collect::systems
