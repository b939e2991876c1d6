// SPDX-License-Identifier: Apache-2.0
#include "backups/copying.h"

#include <vector>

#include "base/hash.h"
#include "base/sha256_stream.h"

namespace collect::backups {
namespace {

constexpr std::size_t kPiece = 256 * 1024;

Result<bool> is_there(ObjectStore& to, const ObjectInfo& object) {
  const auto there = to.head(object.entry.key);
  if (!there && there.failure().kind == FailureKind::not_found) return false;
  if (!there) return there.failure();
  return there->entry.size == object.entry.size && !object.metadata.sha256.empty() &&
         there->metadata.sha256 == object.metadata.sha256;
}

Result<void> copy(ObjectStore& from, ObjectStore& to, const ObjectInfo& object) {
  const auto download = from.open(object.entry.key, std::nullopt);
  if (!download) return download.failure();
  const auto upload = to.begin(object.entry.key, object.entry.size);
  if (!upload) return upload.failure();
  Sha256Stream sum;
  std::vector<char> piece(kPiece);
  while (true) {
    const auto count = (*download)->read(piece);
    if (!count) return count.failure();
    if (*count == 0) break;
    const std::string_view bytes(piece.data(), *count);
    sum.add(bytes);
    if (auto written = (*upload)->write(bytes); !written) return written;
  }
  auto metadata = object.metadata;
  if (metadata.sha256.empty()) metadata.sha256 = to_hex(sum.finish());
  return (*upload)->finish(metadata);
}

}  // namespace

Result<Copied> copy_objects(ObjectStore& from, ObjectStore& to, const TellCopied& tell) {
  const auto entries = from.list("");
  if (!entries) return entries.failure();
  Copied copied;
  for (const ObjectEntry& entry : *entries) {
    const auto object = from.head(entry.key);
    if (!object) return object.failure();
    const auto there = is_there(to, *object);
    if (!there) return there.failure();
    if (!*there) {
      if (auto done = copy(from, to, *object); !done)
        return Failure{done.failure().kind, entry.key + ": " + done.failure().message};
    }
    ++copied.objects;
    copied.bytes += entry.size;
    copied.already += *there ? 1 : 0;
    tell(copied.objects, entries->size());
  }
  return copied;
}

}  // namespace collect::backups
