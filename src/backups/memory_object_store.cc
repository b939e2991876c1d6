// SPDX-License-Identifier: Apache-2.0
#include "backups/memory_object_store.h"

#include <algorithm>

namespace collect::backups {

class MemoryObjectStore::MemoryUpload final : public Upload {
 public:
  MemoryUpload(MemoryObjectStore& store, std::string key, std::uint64_t size)
      : store_(store), key_(std::move(key)), size_(size) {}

  Result<void> write(std::string_view bytes) override {
    if (auto works = usable(); !works) return works;
    if (bytes.size() > size_ - bytes_.size()) return end(longer_than_announced(size_));
    bytes_ += bytes;
    return {};
  }

  Result<void> finish(const ObjectMetadata& metadata) override {
    if (auto works = usable(); !works) return works;
    if (auto checked = check_metadata(metadata); !checked) return end(checked.failure());
    if (bytes_.size() != size_) return end(shorter_than_announced(size_, bytes_.size()));
    const std::lock_guard lock(store_.mutex_);
    store_.objects_[key_] = {{{key_, size_, store_.clock_.now()}, metadata},
                             std::make_shared<const std::string>(std::move(bytes_))};
    ended_ = internal("the upload is finished");
    return {};
  }

 private:
  Result<void> usable() {
    if (ended_) return *ended_;
    if (auto works = store_.working(); !works) return end(works.failure());
    return {};
  }
  Failure end(Failure failure) {
    ended_ = failure;
    return failure;
  }

  MemoryObjectStore& store_;
  const std::string key_;
  const std::uint64_t size_;
  std::string bytes_;
  std::optional<Failure> ended_;
};

class MemoryObjectStore::MemoryDownload final : public Download {
 public:
  MemoryDownload(MemoryObjectStore& store, Object object, ByteRange range)
      : store_(store), object_(std::move(object)), range_(range) {}

  [[nodiscard]] const ObjectInfo& info() const override { return object_.info; }

  Result<std::size_t> read(std::span<char> into) override {
    if (auto works = store_.working(); !works) return works.failure();
    const std::size_t count = std::min<std::uint64_t>(into.size(), range_.length);
    object_.bytes->copy(into.data(), count, range_.offset);
    range_.offset += count;
    range_.length -= count;
    return count;
  }

 private:
  MemoryObjectStore& store_;
  const Object object_;
  ByteRange range_;  // what is left to read
};

void MemoryObjectStore::fail_with(std::optional<Failure> failure) {
  const std::lock_guard lock(mutex_);
  failure_ = std::move(failure);
}

Result<void> MemoryObjectStore::working() const {
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  return {};
}

Result<MemoryObjectStore::Object> MemoryObjectStore::find(std::string_view key) const {
  if (auto checked = check_key(key); !checked) return checked.failure();
  if (auto works = working(); !works) return works.failure();
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  if (found == objects_.end()) return no_such_object();
  return found->second;
}

Result<std::unique_ptr<Upload>> MemoryObjectStore::begin(std::string_view key, std::uint64_t size) {
  if (auto checked = check_upload(key, size); !checked) return checked.failure();
  if (auto works = working(); !works) return works.failure();
  return std::unique_ptr<Upload>(std::make_unique<MemoryUpload>(*this, std::string(key), size));
}

Result<std::unique_ptr<Download>> MemoryObjectStore::open(std::string_view key,
                                                          std::optional<ByteRange> range) {
  auto object = find(key);
  if (!object) return object.failure();
  const auto whole = whole_range(range, object->info.entry.size);
  if (!whole) return whole.failure();
  return std::unique_ptr<Download>(std::make_unique<MemoryDownload>(*this, std::move(*object), *whole));
}

Result<ObjectInfo> MemoryObjectStore::head(std::string_view key) {
  auto object = find(key);
  if (!object) return object.failure();
  return std::move(object->info);
}

Result<std::vector<ObjectEntry>> MemoryObjectStore::list(std::string_view prefix) {
  if (auto checked = check_prefix(prefix); !checked) return checked.failure();
  if (auto works = working(); !works) return works.failure();
  const std::lock_guard lock(mutex_);
  std::vector<ObjectEntry> entries;
  for (auto at = objects_.lower_bound(prefix); at != objects_.end() && at->first.starts_with(prefix); ++at)
    entries.push_back(at->second.info.entry);
  return entries;
}

Result<void> MemoryObjectStore::remove(std::string_view key) {
  if (auto checked = check_key(key); !checked) return checked;
  if (auto works = working(); !works) return works;
  const std::lock_guard lock(mutex_);
  if (const auto found = objects_.find(key); found != objects_.end()) objects_.erase(found);
  return {};
}

Result<std::size_t> MemoryObjectStore::sweep(Time /*now*/) {
  if (auto works = working(); !works) return works.failure();
  return std::size_t{0};
}

}  // namespace collect::backups
