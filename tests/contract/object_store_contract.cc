// SPDX-License-Identifier: Apache-2.0
#include "contract/object_store_contract.h"

#include <thread>

#include "base/hash.h"

namespace collect::backups::test {

std::string some_bytes(std::size_t size) {
  std::vector<std::uint64_t> words(size / sizeof(std::uint64_t) + 1);
  std::uint64_t state = size;
  for (std::uint64_t& word : words) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    word = state ^ (state >> 29U);
  }
  return {reinterpret_cast<const char*>(words.data()), size};
}

ObjectMetadata metadata_of(std::string_view bytes) {
  return {to_hex(sha256(bytes)), "backup.tar.gz", "192.0.2.7", "application/gzip"};
}

ObjectMetadata put(ObjectStore& store, std::string_view key, std::string_view bytes) {
  constexpr std::size_t kPiece = 100'003;
  const auto upload = must(store.begin(key, bytes.size()));
  for (std::size_t at = 0; at < bytes.size(); at += kPiece) must(upload->write(bytes.substr(at, kPiece)));
  const ObjectMetadata metadata = metadata_of(bytes);
  must(upload->finish(metadata));
  return metadata;
}

Result<std::string> read_all(Download& download) {
  std::string bytes;
  std::vector<char> chunk(70'001);
  while (true) {
    const auto count = download.read(chunk);
    if (!count) return count.failure();
    if (*count == 0) return bytes;
    bytes.append(chunk.data(), *count);
  }
}

std::string get(ObjectStore& store, std::string_view key, std::optional<ByteRange> range) {
  const auto download = must(store.open(key, range));
  return must(read_all(*download));
}

std::vector<std::string> keys(ObjectStore& store, std::string_view prefix) {
  std::vector<std::string> found;
  for (const ObjectEntry& entry : must(store.list(prefix))) found.push_back(entry.key);
  return found;
}

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kKey = "org-1/NETH-0001/0190a1b2-0000-7000-8000-000000000001.tar.gz";
constexpr std::size_t kMiB = std::size_t{1024} * 1024;

class ObjectStoreContract : public testing::TestWithParam<StorageCase> {
 protected:
  ObjectStore& store() { return storage_->store(); }
  void expect_nothing() {
    EXPECT_THAT(keys(store()), IsEmpty());
    EXPECT_THAT(storage_->leftovers(), IsEmpty());
    const auto head = store().head(kKey);
    ASSERT_FALSE(head);
    EXPECT_EQ(head.failure().kind, FailureKind::not_found);
    const auto opened = store().open(kKey, std::nullopt);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.failure().kind, FailureKind::not_found);
  }

  std::unique_ptr<Storage> storage_ = GetParam().make();
};
INSTANTIATE_TEST_SUITE_P(Storages, ObjectStoreContract, testing::ValuesIn(storages()),
                         [](const auto& test) { return test.param.name; });

TEST_P(ObjectStoreContract, GivesBackWhatItWasGiven) {
  // One byte, a small one, and one that an S3 takes in parts; the last one ends within a part.
  for (const std::size_t size : {std::size_t{1}, std::size_t{300'000}, 8 * kMiB, 21 * kMiB + 5}) {
    const std::string bytes = some_bytes(size);
    const std::string key = "org-1/NETH-0001/" + std::to_string(size) + ".bin";
    const ObjectMetadata metadata = put(store(), key, bytes);
    EXPECT_TRUE(get(store(), key) == bytes) << size;
    const ObjectInfo info = must(store().head(key));
    EXPECT_EQ(info.entry.key, key);
    EXPECT_EQ(info.entry.size, size);
    EXPECT_EQ(info.metadata, metadata);
    const auto download = must(store().open(key, std::nullopt));
    EXPECT_EQ(download->info().metadata, metadata);
    EXPECT_EQ(download->info().entry.size, size);
  }
  EXPECT_THAT(storage_->leftovers(), IsEmpty());
}

TEST_P(ObjectStoreContract, GivesRanges) {
  const std::string bytes = some_bytes(300'000);
  put(store(), kKey, bytes);
  for (const ByteRange range :
       {ByteRange{0, 1}, ByteRange{0, 300'000}, ByteRange{100'000, 150'000}, ByteRange{299'999, 1}}) {
    EXPECT_TRUE(get(store(), kKey, range) == bytes.substr(range.offset, range.length)) << range.offset;
    EXPECT_EQ(must(store().open(kKey, range))->info().entry.size, bytes.size());
  }
  for (const ByteRange range : {ByteRange{300'000, 1}, ByteRange{0, 300'001}, ByteRange{5, 0}}) {
    const auto opened = store().open(kKey, range);
    ASSERT_FALSE(opened) << range.offset;
    EXPECT_EQ(opened.failure().kind, FailureKind::invalid);
  }
}

TEST_P(ObjectStoreContract, ShowsNothingBeforeTheEnd) {
  for (const std::size_t size : {std::size_t{1000}, 20 * kMiB}) {
    const std::string bytes = some_bytes(size);
    const auto upload = must(store().begin(kKey, size));
    must(upload->write(bytes));
    EXPECT_THAT(keys(store()), IsEmpty());
    EXPECT_FALSE(store().head(kKey));
    EXPECT_EQ(must(store().sweep(SystemClock().now())), 0U) << "an upload under way was swept";
    must(upload->finish(metadata_of(bytes)));
    EXPECT_THAT(keys(store()), ElementsAre(kKey));
    EXPECT_TRUE(get(store(), kKey) == bytes);
    must(store().remove(kKey));
    expect_nothing();
  }
}

TEST_P(ObjectStoreContract, KeepsNothingOfWhatWasGivenUp) {
  for (const std::size_t size : {std::size_t{1000}, 20 * kMiB}) {
    for (const std::size_t sent : {std::size_t{0}, size / 2, size}) {
      auto upload = must(store().begin(kKey, size));
      must(upload->write(some_bytes(size).substr(0, sent)));
      upload.reset();
      expect_nothing();
    }
  }
}

TEST_P(ObjectStoreContract, RefusesAnotherLengthThanAnnounced) {
  for (const std::size_t size : {std::size_t{1000}, 20 * kMiB}) {
    const std::string bytes = some_bytes(size + 1);
    auto upload = must(store().begin(kKey, size));
    must(upload->write(std::string_view(bytes).substr(0, size - 1)));
    const auto finished = upload->finish(metadata_of(bytes));
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.failure().kind, FailureKind::invalid);
    EXPECT_FALSE(upload->write("x"));
    upload.reset();
    expect_nothing();

    upload = must(store().begin(kKey, size));
    const auto written = upload->write(bytes);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.failure().kind, FailureKind::invalid);
    EXPECT_FALSE(upload->finish(metadata_of(bytes)));
    upload.reset();
    expect_nothing();
  }
  EXPECT_FALSE(store().begin(kKey, 0));
}

TEST_P(ObjectStoreContract, RefusesMetadataThatItCannotKeep) {
  auto upload = must(store().begin(kKey, 3));
  must(upload->write("abc"));
  ObjectMetadata metadata = metadata_of("abc");
  metadata.filename = "a\r\nx-amz-acl: public-read";
  const auto finished = upload->finish(metadata);
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.failure().kind, FailureKind::invalid);
  upload.reset();
  expect_nothing();

  metadata = {metadata_of("abc").sha256, "", "", ""};
  upload = must(store().begin(kKey, 3));
  must(upload->write("abc"));
  must(upload->finish(metadata));
  EXPECT_EQ(must(store().head(kKey)).metadata.filename, "");
}

TEST_P(ObjectStoreContract, ListsByPrefixInOrder) {
  for (const char* key :
       {"org/b/2.bin", "org/b/1.bin", "org/a/9.bin", "org-2/a/1.bin", "organ/a/1.bin", "x.bin"})
    put(store(), key, "content");
  EXPECT_THAT(keys(store()), ElementsAre("org-2/a/1.bin", "org/a/9.bin", "org/b/1.bin", "org/b/2.bin",
                                         "organ/a/1.bin", "x.bin"));
  EXPECT_THAT(keys(store(), "org/"), ElementsAre("org/a/9.bin", "org/b/1.bin", "org/b/2.bin"));
  EXPECT_THAT(keys(store(), "org/b/"), ElementsAre("org/b/1.bin", "org/b/2.bin"));
  EXPECT_THAT(keys(store(), "org/c/"), IsEmpty());
  const auto entry = must(store().list("org/a/")).front();
  EXPECT_EQ(entry.size, 7U);
  EXPECT_LT(std::chrono::abs(entry.modified - SystemClock().now()), std::chrono::minutes(5));
}

TEST_P(ObjectStoreContract, RemovesOnceAndAgain) {
  put(store(), kKey, "content");
  put(store(), "org-1/NETH-0001/other.bin", "content");
  must(store().remove(kKey));
  must(store().remove(kKey));
  must(store().remove("org-9/nobody/x.bin"));
  EXPECT_THAT(keys(store()), ElementsAre("org-1/NETH-0001/other.bin"));
  EXPECT_THAT(storage_->leftovers(), IsEmpty());
}

TEST_P(ObjectStoreContract, RefusesHostileKeys) {
  put(store(), kKey, "content");
  for (const char* key : {"", "../x.bin", "org-1/../org-2/x.bin", "/etc/passwd", "org-1//x.bin",
                          "org-1/.hidden", "org-1/x.bin?acl", "org-1/%2e%2e/x", "org-1/x\r\ny"}) {
    EXPECT_EQ(store().begin(key, 3).failure().kind, FailureKind::invalid) << key;
    EXPECT_EQ(store().open(key, {}).failure().kind, FailureKind::invalid) << key;
    EXPECT_EQ(store().head(key).failure().kind, FailureKind::invalid) << key;
    EXPECT_EQ(store().remove(key).failure().kind, FailureKind::invalid) << key;
  }
  for (const char* prefix : {"org-1", "../", "/", "org-1/../"})
    EXPECT_EQ(store().list(prefix).failure().kind, FailureKind::invalid) << prefix;
  EXPECT_THAT(keys(store()), ElementsAre(kKey));
}

TEST_P(ObjectStoreContract, TakesManyAtOnce) {
  constexpr int kUploads = 8;
  {
    std::vector<std::jthread> threads;
    for (int number = 0; number < kUploads; ++number) {
      threads.emplace_back([this, number] {
        const std::string key =
            "org/system-" + std::to_string(number % 2) + "/" + std::to_string(number) + ".bin";
        const std::string bytes = some_bytes(9 * kMiB + static_cast<std::size_t>(number));
        put(store(), key, bytes);
        EXPECT_TRUE(get(store(), key) == bytes) << key;
      });
    }
  }
  EXPECT_EQ(keys(store()).size(), static_cast<std::size_t>(kUploads));
  EXPECT_THAT(storage_->leftovers(), IsEmpty());
}

}  // namespace
}  // namespace collect::backups::test
