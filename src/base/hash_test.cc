// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <gtest/gtest.h>

#include "base/ids.h"
#include "base/sha256_stream.h"

namespace collect {
namespace {

TEST(Hash, AgreesWithPublishedVectors) {
  // FIPS 180-4 examples and RFC 4231 test case 2.
  EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Hash, ReadsBase64Strictly) {
  EXPECT_EQ(from_base64("Zm9vYg=="), "foob");
  EXPECT_EQ(from_base64(to_base64(std::string("\0\xff\x80", 3))), std::string("\0\xff\x80", 3));
  EXPECT_EQ(from_base64(""), "");
  for (const char* text : {"Zm9vYg", "Zm9vYg=", "Zm9v Yg=", "====", "Zm9=Yg==", "Zm9vY\n==", "Zm9v-_=="}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
}

TEST(Hash, ReadsHex) {
  EXPECT_EQ(from_hex("00fFa1"), std::string("\0\xff\xa1", 3));
  EXPECT_EQ(from_hex("0"), std::nullopt);
  EXPECT_EQ(from_hex("0g"), std::nullopt);
}

TEST(Ids, AreUuids) {
  const Time now(std::chrono::milliseconds(0x0123456789ab));
  EXPECT_TRUE(is_uuid(new_uuid_v4()));
  EXPECT_EQ(new_uuid_v4()[14], '4');
  EXPECT_EQ(new_uuid_v7(now).substr(0, 15), "01234567-89ab-7");
  EXPECT_NE(new_uuid_v7(now), new_uuid_v7(now));
  EXPECT_FALSE(is_uuid("01234567-89ab-7000-8000-00000000000g"));
  EXPECT_FALSE(is_uuid("0123456789ab70008000000000000000"));
  EXPECT_EQ(random_hex(8).size(), 16U);
}

TEST(Hash, InPiecesIsTheSame) {
  Sha256Stream stream;
  EXPECT_EQ(stream.finish(), sha256(""));
  const std::string text(100'000, 'x');
  for (const std::size_t piece : {1, 63, 64, 65, 4096, 100'000}) {
    for (std::size_t at = 0; at < text.size(); at += piece)
      stream.add(std::string_view(text).substr(at, piece));
    EXPECT_EQ(stream.finish(), sha256(text));
  }
}

}  // namespace
}  // namespace collect
