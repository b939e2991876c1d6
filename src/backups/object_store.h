// SPDX-License-Identifier: Apache-2.0
// PORT. Where backups lie: whole objects under keys, each with what is known about it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace collect::backups {

// Kept with an object. In S3 these are x-amz-meta-sha256, -filename, -uploader-ip and Content-Type; in a
// directory a small JSON file beside it. All are printable ASCII without spaces at the ends, at most 255
// bytes; an object that others put there may lack any of them.
struct ObjectMetadata {
  std::string sha256;  // of the whole object, 64 lower-case hex digits
  std::string filename;
  std::string uploader_ip;
  std::string content_type;
  auto operator<=>(const ObjectMetadata&) const = default;
};

struct ObjectEntry {
  std::string key;
  std::uint64_t size = 0;  // bytes
  Time modified{};         // when it became visible, by the storage's clock
};

struct ObjectInfo {
  ObjectEntry entry;
  ObjectMetadata metadata;
};

// `length` bytes from `offset` on. Must lie within the object.
struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// Keys are one or more segments with '/' between them, at most 1,024 bytes in all. A segment has 1 to 200
// characters of [A-Za-z0-9._-] and does not begin with a dot: what does belongs to the store. `invalid` says
// what is wrong; every call below checks it.
Result<void> check_key(std::string_view key);
// "" or segments each followed by '/': "org/", "org/NETH-…/".
Result<void> check_prefix(std::string_view prefix);
// `invalid` unless all of it can be kept as above; the checksum is required.
Result<void> check_metadata(const ObjectMetadata& metadata);
// For what others may have put there: what could not have been kept becomes empty.
ObjectMetadata without_bad_parts(ObjectMetadata metadata);

// What every store says to the same mistakes.
Result<void> check_upload(std::string_view key, std::uint64_t size);
Result<ByteRange> whole_range(std::optional<ByteRange> range, std::uint64_t object_size);
Failure no_such_object();
Failure longer_than_announced(std::uint64_t size);
Failure shorter_than_announced(std::uint64_t size, std::uint64_t written);

// An object on its way in. For one thread at a time. Destroying it before finish() succeeded gives up:
// nothing stays. Must not outlive its store.
class Upload {
 public:
  virtual ~Upload() = default;
  // The next bytes, any number. May wait for the storage: that is the back-pressure. `invalid`: more than the
  // announced size. `unavailable`: storage away or full. After a failure every further call fails likewise.
  virtual Result<void> write(std::string_view bytes) = 0;
  // Makes the object visible, whole, durable and with this metadata, in one step; returns once that is so.
  // `invalid`: fewer bytes than announced. After any failure the object is not there (a storage that
  // vanishes in this very call may keep one: whole, or without its checksum; the latter head() and open()
  // do not find and sweep() removes).
  virtual Result<void> finish(const ObjectMetadata& metadata) = 0;
};

// An object on its way out. For one thread at a time. Must not outlive its store.
class Download {
 public:
  virtual ~Download() = default;
  // Of the whole object, also where a range is read.
  [[nodiscard]] virtual const ObjectInfo& info() const = 0;
  // Waits for at least one byte and writes at most `into.size()` (more than 0); how many, 0 at the end.
  // `unavailable`: broken off before the end. Object bytes only come from one version of the object.
  virtual Result<std::size_t> read(std::span<char> into) = 0;
};

// Safe to use from several threads. `unavailable`: the storage is away, full, or refuses us; the message says
// which and what to do, never a secret. Memory does not grow with an object's size.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Begins an object of exactly `size` bytes (at least 1). Nothing is visible before Upload::finish. Each key
  // is used once: what happens when it exists already, or two upload it at once, is one of the two objects.
  virtual Result<std::unique_ptr<Upload>> begin(std::string_view key, std::uint64_t size) = 0;

  // The object, or that range of it (nullopt: all). `not_found`; `invalid`: the range is not within it.
  virtual Result<std::unique_ptr<Download>> open(std::string_view key, std::optional<ByteRange> range) = 0;

  // `not_found`.
  virtual Result<ObjectInfo> head(std::string_view key) = 0;

  // All objects whose key begins with that prefix (check_prefix), in the order of the keys' bytes. One entry
  // an object is held in memory.
  virtual Result<std::vector<ObjectEntry>> list(std::string_view prefix) = 0;

  // The object and its metadata. Done as well when it is not there.
  virtual Result<void> remove(std::string_view key) = 0;

  // Removes what uploads left behind whose process died; how many. Those that go on, in whatever process, are
  // left alone. For the start and then every hour or so.
  virtual Result<std::size_t> sweep(Time now) = 0;
};

}  // namespace collect::backups
