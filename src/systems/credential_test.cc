// SPDX-License-Identifier: Apache-2.0
#include "systems/credential.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/hash.h"

namespace collect::systems {
namespace {

using testing::MatchesRegex;

// Rows as another program wrote them: the digests were computed with Python's hashlib, not with our code.
constexpr std::string_view kSecret = "0123456789abcdefghijklmnopqrstuvwxyzABCD";
constexpr std::string_view kRow =
    "000102030405060708090a0b0c0d0e0f:68fb73245a6e480c212c3d9d5634faeab30d13a1164417afa232dec594fd998b";
constexpr std::string_view kOtherSecret = "k3tYbV9qLm2XcR7wZ0nHj5PdGs8FaU4e";
constexpr std::string_view kUpperCaseRow =
    "FF00FE01FD02FC03FB04FA05F906F807:23B853B3C6C912250C760A87334B0CB4FB6E8744A9C1342D94B78BC8E4E5D5E2";

StoredSecret row(std::string_view public_part, std::string_view secret_sha256) {
  return {std::string(public_part), std::string(secret_sha256)};
}

TEST(SystemKey, NewOnesAreEightGroupsInUpperCaseAndDiffer) {
  std::set<std::string> keys;
  for (int i = 0; i < 100; ++i) {
    const std::string key = new_system_key();
    EXPECT_THAT(key, MatchesRegex("NETH(-[0-9A-F]{4}){8}"));
    EXPECT_TRUE(is_system_key(key));
    keys.insert(key);
  }
  EXPECT_EQ(keys.size(), 100U);
}

TEST(SystemKey, IsToldFromOtherTexts) {
  EXPECT_TRUE(is_system_key("NOC-F64B-A989-C9E7-45B9-A55D-59EC-6545-40EE"));
  EXPECT_TRUE(is_system_key("NETH-f64b-a989-c9e7-45b9-a55d-59ec-6545-40ee"));
  for (const std::string_view other :
       {"", "NETH-", "NOC-F64B", "NETH-F64B-A989-C9E7-45B9-A55D-59EC-6545",
        "F64B-A989-C9E7-45B9-A55D-59EC-6545-40EE", "NETH-F64B-A989-C9E7-45B9-A55D-59EC-6545-40EE-",
        "NETH-F64B-A989-C9E7-45B9-A55D-59EC-6545-40EG", "NETH-F64BA-989-C9E7-45B9-A55D-59EC-6545-40EE",
        "neth-F64B-A989-C9E7-45B9-A55D-59EC-6545-40EE"}) {
    EXPECT_FALSE(is_system_key(other)) << other;
  }
}

TEST(SystemSecret, NewOnesAreReadAndVerifiedAgain) {
  const NewSecret secret = new_system_secret(32);
  EXPECT_THAT(secret.text, MatchesRegex("my_[0-9a-f]{20}\\.[0-9a-f]{40}"));
  const auto parts = parse_system_secret(secret.text);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->public_part, secret.stored.public_part);
  EXPECT_THAT(secret.stored.secret_sha256, MatchesRegex("[0-9a-f]{32}:[0-9a-f]{64}"));
  EXPECT_EQ(secret.stored.secret_sha256.find(parts->secret_part), std::string::npos);
  EXPECT_TRUE(verify_secret(*parts, secret.stored));
  EXPECT_NE(new_system_secret(32).text, secret.text);
}

TEST(SystemSecret, IsAsLongAsTheOperatorWants) {
  for (const std::size_t length : {41U, 64U, 512U}) {
    const NewSecret secret = new_system_secret(length);
    const auto parts = parse_system_secret(secret.text);
    ASSERT_TRUE(parts) << length;
    EXPECT_EQ(parts->secret_part.size(), length);
    EXPECT_TRUE(verify_secret(*parts, secret.stored));
  }
}

TEST(SystemSecret, ParsesStrictly) {
  const auto parts = parse_system_secret("my_abc.def");
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->public_part, "abc");
  EXPECT_EQ(parts->secret_part, "def");
  EXPECT_TRUE(parse_system_secret("my_a_b-c.D/e+f=:~"));
  EXPECT_TRUE(parse_system_secret("my_" + std::string(64, 'p') + "." + std::string(512, 's')));
  for (const std::string& wrong :
       {std::string(), std::string("my_"), std::string("my_."), std::string("my_a."), std::string("my_.b"),
        std::string("my_a.b.c"), std::string("MY_a.b"), std::string("a.b"), std::string(" my_a.b"),
        std::string("my_a.b "), std::string("my_a.b\n"), std::string("my_a.b\0c", 8),
        std::string("my_a.\xc3\xa9"), "my_" + std::string(65, 'p') + ".s", "my_p." + std::string(513, 's')}) {
    EXPECT_FALSE(parse_system_secret(wrong)) << wrong;
  }
}

TEST(SystemSecret, HashIsSaltAndSecretBytes) {
  EXPECT_EQ(salted_sha256(from_hex("000102030405060708090a0b0c0d0e0f").value(), kSecret), kRow);
}

TEST(SystemSecret, VerifiesRowsWrittenByOthers) {
  EXPECT_TRUE(verify_secret({"pub", kSecret}, row("pub", kRow)));
  EXPECT_TRUE(verify_secret({"pub", kOtherSecret}, row("pub", kUpperCaseRow)));
  EXPECT_FALSE(verify_secret({"pub", kOtherSecret}, row("pub", kRow)));
  EXPECT_FALSE(verify_secret({"bup", kSecret}, row("pub", kRow)));
  EXPECT_FALSE(verify_secret({"pub", kSecret.substr(1)}, row("pub", kRow)));
  EXPECT_FALSE(verify_secret({"pub", kSecret}, std::nullopt));
}

TEST(SystemSecret, AnUnreadableRowLetsNobodyIn) {
  const std::string good(kRow);
  for (const std::string& wrong :
       {std::string(), std::string(":"), good.substr(33), good.substr(0, 33), good + "00", good + ":",
        good.substr(2), good.substr(0, good.size() - 2), "zz" + good.substr(2), std::string(32, '0') + ":",
        // What an all-zero salt and digest would compare with.
        std::string(32, '0') + ":" + std::string(64, '0')}) {
    EXPECT_FALSE(verify_secret({"pub", kSecret}, row("pub", wrong))) << wrong;
    EXPECT_FALSE(verify_secret({"", ""}, row("", wrong))) << wrong;
  }
}

}  // namespace
}  // namespace collect::systems
