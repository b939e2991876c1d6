// SPDX-License-Identifier: Apache-2.0
#include "journey/backup_place.h"

#include <fstream>
#include <stdexcept>

#include "support/fake_s3.h"
#include "support/s3rver.h"

namespace collect::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPart = std::size_t{5} << 20U;  // what the service sends to S3 at once

void turn_over(const fs::path& file, std::uint64_t offset) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(offset));
  const int byte = stream.get();
  stream.seekp(static_cast<std::streamoff>(offset));
  stream.put(static_cast<char>(~byte));
  if (!stream.flush()) throw std::runtime_error("cannot damage " + file.string());
}

class Directory final : public BackupPlace {
 public:
  Environment settings(const fs::path& folder) override {
    folder_ = folder / "data" / "backups";
    return {{"COLLECT_DATA_DIR", folder / "data"}};
  }
  std::vector<std::string> contents() const override {
    std::vector<std::string> out;
    for (const fs::path& file : files_below(folder_)) out.push_back(file.string());
    return out;
  }
  void damage(const std::string& id, std::uint64_t offset) override {
    for (const std::string& file : contents()) {
      if (fs::path(file).filename() == id) return turn_over(file, offset);
    }
    throw std::runtime_error("there is no backup " + id);
  }
  std::size_t piece() const override { return 100'000; }

 private:
  fs::path folder_;
};

class InFakeS3 final : public BackupPlace {
 public:
  Environment settings(const fs::path& /*folder*/) override { return settings_for(storage_); }
  std::vector<std::string> contents() const override {
    std::vector<std::string> out = storage_.objects();
    for (std::size_t i = 0; i < storage_.uploads(); ++i) out.emplace_back("an upload in parts");
    return out;
  }
  void damage(const std::string& id, std::uint64_t offset) override {
    for (const std::string& key : storage_.objects()) {
      if (key.ends_with("/" + id)) return turn_over(storage_.file_of(key), offset);
    }
    throw std::runtime_error("there is no backup " + id);
  }
  std::size_t piece() const override { return kPart; }

 private:
  FakeS3 storage_;
};

class InS3rver final : public BackupPlace {
 public:
  Environment settings(const fs::path& /*folder*/) override { return settings_for(storage_); }
  std::vector<std::string> contents() const override { return storage_.objects(); }
  void damage(const std::string& id, std::uint64_t offset) override {
    for (const std::string& key : storage_.objects()) {
      if (key.ends_with("/" + id)) return turn_over(storage_.file_of(key), offset);
    }
    throw std::runtime_error("there is no backup " + id);
  }
  std::size_t piece() const override { return kPart; }

 private:
  S3rver storage_;
};

}  // namespace

std::string name_of(PlaceKind kind) {
  switch (kind) {
    case PlaceKind::directory:
      return "directory";
    case PlaceKind::fake_s3:
      return "fake_s3";
    case PlaceKind::s3rver:
      return "s3rver";
  }
  return "";
}

std::unique_ptr<BackupPlace> make_place(PlaceKind kind) {
  if (kind == PlaceKind::fake_s3) return std::make_unique<InFakeS3>();
  if (kind == PlaceKind::s3rver) return std::make_unique<InS3rver>();
  return std::make_unique<Directory>();
}

Environment settings_for(const FakeS3& storage) {
  const FakeS3::Options& options = storage.options();
  const bool tls = !options.certificate_file.empty();
  // By host name or, as its certificate has none, by path.
  return {
      {"S3_ENDPOINT", (tls ? "https://127.0.0.1:" : "http://localhost:") + std::to_string(storage.port())},
      {"S3_ACCESS_KEY", options.credentials.access_key},
      {"S3_SECRET_KEY", options.credentials.secret_key},
      {"BACKUP_S3_REGION", options.credentials.region},
      {"BACKUP_S3_BUCKET", options.bucket},
      {"BACKUP_S3_CA_FILE", options.certificate_file},
      {"BACKUP_S3_USE_PATH_STYLE", tls ? "true" : "false"}};
}

Environment settings_for(const S3rver& storage) {
  return {{"S3_ENDPOINT", storage.endpoint()},
          {"S3_ACCESS_KEY", S3rver::kKey},
          {"S3_SECRET_KEY", S3rver::kKey},
          {"BACKUP_S3_BUCKET", S3rver::kBucket},
          {"BACKUP_S3_USE_PATH_STYLE", "true"}};
}

}  // namespace collect::test
