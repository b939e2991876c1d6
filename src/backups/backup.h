// SPDX-License-Identifier: Apache-2.0
// Backups as values: their names, and the keys under which they lie.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"

namespace collect::backups {

// What backups may end in; anything else is ".bin". Longer ones first where one ends in another.
inline constexpr std::array<std::string_view, 6> kExtensions = {".tar.gz",  ".tar.xz", ".tar.bz2",
                                                                ".tar.zst", ".gpg",    ".bin"};

// A backup's id is the last part of its object's key: a UUIDv7 in lower case and one of kExtensions. It tells
// when the upload began; ids of one system sort by that.
class BackupId {
 public:
  // A new one; the extension is that of `filename` (in any case).
  static BackupId make(std::string_view filename, Time now);
  // nullopt: no id.
  static std::optional<BackupId> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::string_view uuid() const { return std::string_view(text_).substr(0, 36); }
  [[nodiscard]] Time uploaded_at() const;  // to the millisecond
  auto operator<=>(const BackupId&) const = default;

 private:
  explicit BackupId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// Whose backups.
struct Owner {
  OrganizationId organization_id;
  SystemId system_id;
  std::string system_key;
};
std::string organization_prefix(const Owner& owner);         // "<organization>/"
std::string system_prefix(const Owner& owner);               // "<organization>/<system_key>/"
std::string key_of(const Owner& owner, const BackupId& id);  // "<organization>/<system_key>/<id>"
std::optional<BackupId> id_of_key(std::string_view key);     // of its last part

struct Backup {
  BackupId id;
  std::string filename;
  std::uint64_t size = 0;  // bytes
  std::string sha256;      // lower-case hex
  std::string mimetype;
};

// What an uploader calls a file, as a name that is harmless everywhere: path parts stripped, every byte
// outside [A-Za-z0-9._-] as '_', at most 255; empty when nothing but dots is left.
std::string safe_filename(std::string_view given);
// A media type as in RFC 9110 section 8.3.1, parameters and all, of printable ASCII, at most 255 bytes; else
// "application/octet-stream".
std::string safe_mimetype(std::string_view given);

}  // namespace collect::backups
