// SPDX-License-Identifier: Apache-2.0
// One upload into a directory, and the names that belong to an object there.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "backend/directory/files.h"
#include "backups/object_store.h"

namespace collect::directory {

inline constexpr std::string_view kUploadEnd = ".upload";
inline constexpr std::string_view kMetadataEnd = ".json";

inline std::string upload_name(std::string_view object) {
  return "." + std::string(object) + std::string(kUploadEnd);
}
inline std::string metadata_name(std::string_view object) {
  return "." + std::string(object) + std::string(kMetadataEnd);
}

std::string metadata_text(const backups::ObjectMetadata& metadata);
// What cannot be read, or is not as ObjectMetadata promises, is empty.
backups::ObjectMetadata parse_metadata(std::string_view text);

// Removes this file unless a process writes it, which holds its lock then; true when it did.
bool remove_if_abandoned(const File& folder, const std::string& name);

// What stopped an upload. It asks for no object: what is not found is the directory itself.
Failure upload_failure(Failure failure, const std::filesystem::path& root);

class DirectoryUpload final : public backups::Upload {
 public:
  // `name` is the object's file in `folder`.
  static Result<std::unique_ptr<backups::Upload>> begin(std::filesystem::path root, File folder,
                                                        std::string name, std::uint64_t size);
  ~DirectoryUpload() override;
  DirectoryUpload(const DirectoryUpload&) = delete;
  DirectoryUpload& operator=(const DirectoryUpload&) = delete;

  Result<void> write(std::string_view bytes) override;
  Result<void> finish(const backups::ObjectMetadata& metadata) override;

 private:
  DirectoryUpload(std::filesystem::path root, File folder, File file, std::string name, std::uint64_t size)
      : root_(std::move(root)),
        folder_(std::move(folder)),
        file_(std::move(file)),
        name_(std::move(name)),
        size_(size) {}

  Result<void> publish(const backups::ObjectMetadata& metadata);
  Failure end(Failure failure);
  void clean_up() noexcept;

  const std::filesystem::path root_;
  const File folder_;
  const File file_;
  const std::string name_;
  const std::uint64_t size_;
  std::uint64_t written_ = 0;
  std::uint64_t flushed_ = 0;  // handed to the disk, at least begun
  std::optional<Failure> ended_;
  bool described_ = false;  // the metadata's file is ours
  bool named_ = false;      // the object is there
  bool finished_ = false;
};

}  // namespace collect::directory
