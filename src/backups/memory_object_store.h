// SPDX-License-Identifier: Apache-2.0
// Objects in memory, for tests of what stands above them.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "backups/object_store.h"

namespace collect::backups {

class MemoryObjectStore final : public ObjectStore {
 public:
  explicit MemoryObjectStore(const Clock& clock) : clock_(clock) {}

  // From now on every call, also of uploads and downloads under way, fails with it, until there is none.
  void fail_with(std::optional<Failure> failure);

  Result<std::unique_ptr<Upload>> begin(std::string_view key, std::uint64_t size) override;
  Result<std::unique_ptr<Download>> open(std::string_view key, std::optional<ByteRange> range) override;
  Result<ObjectInfo> head(std::string_view key) override;
  Result<std::vector<ObjectEntry>> list(std::string_view prefix) override;
  Result<void> remove(std::string_view key) override;
  Result<std::size_t> sweep(Time now) override;

 private:
  struct Object {
    ObjectInfo info;
    std::shared_ptr<const std::string> bytes;  // shared with the downloads that read it
  };
  class MemoryUpload;
  class MemoryDownload;

  Result<void> working() const;
  Result<Object> find(std::string_view key) const;

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::optional<Failure> failure_;                      // guarded by mutex_
  std::map<std::string, Object, std::less<>> objects_;  // guarded by mutex_
};

}  // namespace collect::backups
