// SPDX-License-Identifier: Apache-2.0
// Backups in a bucket of any S3-compatible service.
#pragma once

#include "backend/s3/s3_client.h"
#include "backend/s3/s3_marks.h"
#include "backups/object_store.h"

namespace collect::s3 {

class S3ObjectStore final : public backups::ObjectStore {
 public:
  explicit S3ObjectStore(S3Options options) : client_(std::move(options)) {}

  Result<std::unique_ptr<backups::Upload>> begin(std::string_view key, std::uint64_t size) override;
  Result<std::unique_ptr<backups::Download>> open(std::string_view key,
                                                  std::optional<backups::ByteRange> range) override;
  Result<backups::ObjectInfo> head(std::string_view key) override;
  Result<std::vector<backups::ObjectEntry>> list(std::string_view prefix) override;
  Result<void> remove(std::string_view key) override;
  // An upload whose process cannot be asked for (another host's) is taken for dead after a day.
  Result<std::size_t> sweep(Time now) override;

 private:
  Result<std::vector<backups::ObjectEntry>> list_raw(const std::string& prefix) const;
  Result<void> clear(const Mark& mark) const;

  const S3Client client_;
  OpenMarks marks_;
};

}  // namespace collect::s3
