// SPDX-License-Identifier: Apache-2.0
// The storages of backups that the suite runs on.
#include <filesystem>

#include "backend/directory/directory_object_store.h"
#include "backups/memory_object_store.h"
#include "contract/object_store_contract.h"
#include "contract/object_store_s3.h"
#include "support/process.h"
#include "support/s3rver.h"

namespace collect::backups::test {
namespace {

namespace fs = std::filesystem;

class InMemory final : public Storage {
 public:
  ObjectStore& store() override { return store_; }
  std::vector<std::string> leftovers() override { return {}; }

 private:
  SystemClock clock_;
  MemoryObjectStore store_{clock_};
};

class InDirectory final : public Storage {
 public:
  ObjectStore& store() override { return *store_; }
  std::vector<std::string> leftovers() override {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
      const std::string name = entry.path().filename();
      const bool describes = name.starts_with('.') && name.ends_with(".json") &&
                             fs::exists(entry.path().parent_path() / name.substr(1, name.size() - 6));
      if (name.starts_with('.') && !describes) names.push_back(name);
    }
    return names;
  }

 private:
  collect::test::TempDir folder_;
  std::unique_ptr<ObjectStore> store_ = must(directory::DirectoryObjectStore::open(folder_.path()));
};

// Two keys a page, so that every listing continues.
class InFakeS3 final : public Storage {
 public:
  explicit InFakeS3(bool path_style, collect::test::FakeS3::Options options = two_keys_a_page())
      : fake_(std::move(options)), store_(s3_options_for(fake_, path_style)) {}
  ObjectStore& store() override { return store_; }
  std::vector<std::string> leftovers() override {
    std::vector<std::string> names;
    for (const std::string& key : fake_.objects()) {
      if (!check_key(key)) names.push_back(key);
    }
    for (std::size_t i = 0; i < fake_.uploads(); ++i) names.emplace_back("an upload");
    return names;
  }

 private:
  collect::test::FakeS3 fake_;
  s3::S3ObjectStore store_;
};

// Its server is the whole program's: a start takes a second.
class InS3rver final : public Storage {
 public:
  InS3rver() {
    for (const ObjectEntry& entry : must(store_.list(""))) must(store_.remove(entry.key));
  }
  ObjectStore& store() override { return store_; }
  std::vector<std::string> leftovers() override {
    std::vector<std::string> names;
    for (const std::string& key : server().objects()) {
      if (!check_key(key)) names.push_back(key);
    }
    return names;
  }

 private:
  static collect::test::S3rver& server() {
    static collect::test::S3rver server;
    return server;
  }
  static s3::S3Options options() {
    s3::S3Options options;
    options.scheme = "http";
    options.host = "127.0.0.1:" + std::to_string(server().port());
    options.bucket = collect::test::S3rver::kBucket;
    options.path_style = true;
    options.credentials = {collect::test::S3rver::kKey, collect::test::S3rver::kKey, "us-east-1"};
    return options;
  }

  s3::S3ObjectStore store_{options()};
};

}  // namespace

std::vector<StorageCase> storages() {
  return {{"Memory", [] { return std::make_unique<InMemory>(); }},
          {"Directory", [] { return std::make_unique<InDirectory>(); }},
          {"FakeS3ByPath", [] { return std::make_unique<InFakeS3>(true); }},
          {"FakeS3ByHost", [] { return std::make_unique<InFakeS3>(false); }},
          {"FakeS3OverTls",
           [] {
             static const collect::test::Certificate certificate;
             return std::make_unique<InFakeS3>(true, over_tls(certificate, two_keys_a_page()));
           }},
          {"S3rver", [] { return std::make_unique<InS3rver>(); }}};
}

}  // namespace collect::backups::test
