// SPDX-License-Identifier: Apache-2.0
#include "backups/copying.h"

#include <gtest/gtest.h>

#include "backups/memory_object_store.h"
#include "base/hash.h"

namespace collect::backups {
namespace {

class Copying : public testing::Test {
 protected:
  void put(MemoryObjectStore& store, const std::string& key, const std::string& bytes) {
    const auto upload = store.begin(key, bytes.size());
    ASSERT_TRUE(upload.ok());
    ASSERT_TRUE((*upload)->write(bytes).ok());
    ASSERT_TRUE((*upload)->finish({to_hex(sha256(bytes)), "dump.gpg", "10.0.0.1", "application/pgp"}).ok());
  }
  std::string content(MemoryObjectStore& store, const std::string& key) {
    const auto download = store.open(key, std::nullopt);
    if (!download) return download.failure().message;
    std::string out(static_cast<std::size_t>((*download)->info().entry.size), ' ');
    std::size_t got = 0;
    while (got < out.size()) got += (*download)->read(std::span(out).subspan(got)).value();
    return out;
  }
  Result<Copied> copy() {
    told_.clear();
    return copy_objects(from_, to_, [&](std::uint64_t done, std::uint64_t total) {
      told_ += std::to_string(done) + "/" + std::to_string(total) + " ";
    });
  }

  ManualClock clock_{parse_rfc3339("2026-03-31T12:00:00Z").value()};
  MemoryObjectStore from_{clock_};
  MemoryObjectStore to_{clock_};
  std::string told_;
};

TEST_F(Copying, TakesBytesKeysAndMetadataAlong) {
  const std::string large(700'000, 'x');
  put(from_, "org/NETH-a/1.gpg", "one");
  put(from_, "org/NETH-b/2.bin", large);
  const auto copied = copy();
  ASSERT_TRUE(copied.ok());
  EXPECT_EQ(copied->objects, 2U);
  EXPECT_EQ(copied->bytes, 700'003U);
  EXPECT_EQ(copied->already, 0U);
  EXPECT_EQ(told_, "1/2 2/2 ");
  EXPECT_EQ(content(to_, "org/NETH-a/1.gpg"), "one");
  EXPECT_EQ(content(to_, "org/NETH-b/2.bin"), large);
  EXPECT_EQ(to_.head("org/NETH-a/1.gpg")->metadata, from_.head("org/NETH-a/1.gpg")->metadata);
}

TEST_F(Copying, PassesByWhatIsThere) {
  put(from_, "org/NETH-a/1.gpg", "one");
  put(from_, "org/NETH-a/2.gpg", "two");
  put(to_, "org/NETH-a/1.gpg", "one");
  put(to_, "org/NETH-a/2.gpg", "another");
  put(to_, "org/NETH-a/3.gpg", "not of the source");
  const auto copied = copy();
  ASSERT_TRUE(copied.ok());
  EXPECT_EQ(copied->objects, 2U);
  EXPECT_EQ(copied->already, 1U);
  EXPECT_EQ(content(to_, "org/NETH-a/2.gpg"), "two");
  EXPECT_EQ(content(to_, "org/NETH-a/3.gpg"), "not of the source");
}

TEST_F(Copying, AnOutageIsToldAndMadeUpForByTheNextCall) {
  put(from_, "org/NETH-a/1.gpg", "one");
  to_.fail_with(unavailable("away"));
  EXPECT_EQ(copy().failure().kind, FailureKind::unavailable);
  to_.fail_with(std::nullopt);
  EXPECT_TRUE(copy().ok());
  EXPECT_EQ(content(to_, "org/NETH-a/1.gpg"), "one");
}

}  // namespace
}  // namespace collect::backups
