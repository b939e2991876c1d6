// SPDX-License-Identifier: Apache-2.0
#include "backups/verification.h"

#include <vector>

#include "backups/backup_service.h"
#include "base/sha256_stream.h"

namespace collect::backups {
namespace {

constexpr std::size_t kPiece = 256 * 1024;

}  // namespace

Result<Verified> read_and_verify(ObjectStore& objects, std::string_view key,
                                 const std::function<Result<void>(std::string_view)>& take) {
  const auto download = objects.open(key, std::nullopt);
  if (!download) return download.failure();
  auto backup = backup_of((*download)->info());
  if (!backup) return not_found("there is no backup under that key");
  Verified verified{*std::move(backup), "", 0};
  Sha256Stream hash;
  std::vector<char> buffer(kPiece);
  for (;;) {
    const auto size = (*download)->read(buffer);
    if (!size) return size.failure();
    if (*size == 0) break;
    const std::string_view piece(buffer.data(), *size);
    hash.add(piece);
    verified.found_size += piece.size();
    if (!take) continue;
    if (auto taken = take(piece); !taken) return taken.failure();
  }
  verified.found_sha256 = to_hex(hash.finish());
  return verified;
}

}  // namespace collect::backups
