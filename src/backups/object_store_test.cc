// SPDX-License-Identifier: Apache-2.0
#include "backups/object_store.h"

#include <gtest/gtest.h>

namespace collect::backups {
namespace {

constexpr std::string_view kSum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(ObjectKey, NamesNothingOutsideTheStore) {
  for (const char* key : {"a", "org-1/NETH-00AF-1234/0190a1b2.tar.gz", "a..b/c_d", "-rf"})
    EXPECT_TRUE(check_key(key)) << key;
  for (const std::string& key :
       {std::string(), std::string("/a"), std::string("a/"), std::string("a//b"), std::string("."),
        std::string("a/../b"), std::string("a/.hidden"), std::string("a\\b"), std::string("a b"),
        std::string("a\0b", 3), std::string("a\nb"), std::string("a%2fb"), std::string("\xc3\xa4"),
        std::string(201, 'a')}) {
    const auto checked = check_key(key);
    ASSERT_FALSE(checked) << key;
    EXPECT_EQ(checked.failure().kind, FailureKind::invalid);
  }
  std::string deep = "a";
  while (deep.size() < 1023) deep += "/a";
  EXPECT_TRUE(check_key(deep));
  EXPECT_FALSE(check_key(deep + "/a"));
}

TEST(ObjectKey, PrefixesAreWholeSegments) {
  for (const char* prefix : {"", "org/", "org/NETH-1/"}) EXPECT_TRUE(check_prefix(prefix)) << prefix;
  for (const char* prefix : {"org", "/", "../", "org/../", ".uploads/"})
    EXPECT_FALSE(check_prefix(prefix)) << prefix;
}

TEST(ObjectMetadata, IsWhatEveryStorageCanKeep) {
  const ObjectMetadata good{std::string(kSum), "backup 1.tar.gz", "2001:db8::1", "application/gzip"};
  EXPECT_TRUE(check_metadata(good));
  EXPECT_TRUE(check_metadata({std::string(kSum), "", "", ""}));
  EXPECT_FALSE(check_metadata({"", "a", "", ""}));
  EXPECT_FALSE(check_metadata({std::string(64, 'A'), "a", "", ""}));
  for (const std::string& text : {std::string("a\r\nx-amz-acl: public-read"), std::string("\xc3\xa4"),
                                  std::string(" a"), std::string("a "), std::string(256, 'a')}) {
    EXPECT_FALSE(check_metadata({std::string(kSum), text, "", ""})) << text;
    EXPECT_FALSE(check_metadata({std::string(kSum), "", text, ""})) << text;
    EXPECT_FALSE(check_metadata({std::string(kSum), "", "", text})) << text;
  }
}

TEST(ObjectMetadata, OfOthersLosesWhatIsNotAsPromised) {
  const ObjectMetadata good{std::string(kSum), "backup 1.tar.gz", "2001:db8::1", "application/gzip"};
  EXPECT_EQ(without_bad_parts(good), good);
  EXPECT_EQ(without_bad_parts({"x\r\nSet-Cookie: a", "a\r\nb", " 192.0.2.1", "\xc3\xa4"}), ObjectMetadata{});
  EXPECT_EQ(without_bad_parts({std::string(64, 'A'), "a", "", ""}), (ObjectMetadata{"", "a", "", ""}));
}

TEST(ByteRange, LiesWithinTheObject) {
  EXPECT_EQ(whole_range(std::nullopt, 10)->length, 10U);
  EXPECT_TRUE(whole_range(ByteRange{9, 1}, 10));
  for (const ByteRange range :
       {ByteRange{10, 1}, ByteRange{9, 2}, ByteRange{0, 0}, ByteRange{1, ~0ULL}, ByteRange{~0ULL, 2}})
    EXPECT_FALSE(whole_range(range, 10)) << range.offset << ' ' << range.length;
}

}  // namespace
}  // namespace collect::backups
