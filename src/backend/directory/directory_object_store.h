// SPDX-License-Identifier: Apache-2.0
// Backups in a directory: the object "org/system/id.ext" is the file of that name, what is known about it the
// file ".id.ext.json" beside it, {"sha256", "filename", "uploader_ip", "content_type"}. While it is uploaded
// it is ".id.ext.upload", locked (flock) by its process, so that a sweep knows which ones nobody writes any
// more.
#pragma once

#include <filesystem>

#include "backend/directory/files.h"
#include "backups/object_store.h"

namespace collect::directory {

class DirectoryObjectStore final : public backups::ObjectStore {
 public:
  // Makes the directory where it is not there. `unavailable`: it cannot be.
  static Result<std::unique_ptr<DirectoryObjectStore>> open(const std::filesystem::path& root);

  Result<std::unique_ptr<backups::Upload>> begin(std::string_view key, std::uint64_t size) override;
  Result<std::unique_ptr<backups::Download>> open(std::string_view key,
                                                  std::optional<backups::ByteRange> range) override;
  Result<backups::ObjectInfo> head(std::string_view key) override;
  Result<std::vector<backups::ObjectEntry>> list(std::string_view prefix) override;
  Result<void> remove(std::string_view key) override;
  Result<std::size_t> sweep(Time now) override;

 private:
  DirectoryObjectStore(std::filesystem::path root, File folder)
      : root_(std::move(root)), folder_(std::move(folder)) {}

  struct Opened {
    File file;
    backups::ObjectInfo info;
  };
  Result<Opened> open_object(std::string_view key) const;

  const std::filesystem::path root_;
  const File folder_;
};

}  // namespace collect::directory
