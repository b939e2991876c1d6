// SPDX-License-Identifier: Apache-2.0
#include "backups/object_store.h"

#include <fmt/format.h>

#include <algorithm>

namespace collect::backups {
namespace {

constexpr std::size_t kMaxKey = 1024;
constexpr std::size_t kMaxSegment = 200;
constexpr std::size_t kMaxMetadata = 255;

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

// Keys may hold what a client sent: messages do not repeat them.
Result<void> check_segment(std::string_view segment) {
  if (segment.empty() || segment.size() > kMaxSegment) {
    return invalid(fmt::format("expected 1 to {} characters in each segment of an object's key, got {}",
                               kMaxSegment, segment.size()));
  }
  if (segment.front() == '.') return invalid("a segment of an object's key must not begin with a dot");
  if (!std::all_of(segment.begin(), segment.end(), is_key_character))
    return invalid("an object's key may hold letters, digits, '.', '_' and '-' between its '/'");
  return {};
}

Result<void> check_text(std::string_view name, std::string_view value) {
  const bool printable = std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
  const bool trimmed = value.empty() || (value.front() != ' ' && value.back() != ' ');
  if (printable && trimmed && value.size() <= kMaxMetadata) return {};
  return invalid(fmt::format(
      "expected at most {} printable ASCII characters without spaces at the ends as an object's {}",
      kMaxMetadata, name));
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

Result<void> check_key(std::string_view key) {
  if (key.size() > kMaxKey)
    return invalid(fmt::format("an object's key has {} bytes, more than {}", key.size(), kMaxKey));
  for (std::size_t at = 0; at <= key.size();) {
    const std::size_t end = std::min(key.find('/', at), key.size());
    if (auto checked = check_segment(key.substr(at, end - at)); !checked) return checked;
    at = end + 1;
  }
  return {};
}

Result<void> check_prefix(std::string_view prefix) {
  if (prefix.empty()) return {};
  if (prefix.back() != '/') return invalid("a prefix of objects' keys has to end with '/'");
  return check_key(prefix.substr(0, prefix.size() - 1));
}

Result<void> check_metadata(const ObjectMetadata& metadata) {
  if (!is_sha256(metadata.sha256)) return invalid("expected 64 lower-case hex digits as an object's sha256");
  if (auto checked = check_text("filename", metadata.filename); !checked) return checked;
  if (auto checked = check_text("uploader_ip", metadata.uploader_ip); !checked) return checked;
  return check_text("content_type", metadata.content_type);
}

ObjectMetadata without_bad_parts(ObjectMetadata metadata) {
  if (!is_sha256(metadata.sha256)) metadata.sha256.clear();
  for (std::string* text : {&metadata.filename, &metadata.uploader_ip, &metadata.content_type}) {
    if (!check_text("text", *text)) text->clear();
  }
  return metadata;
}

Result<void> check_upload(std::string_view key, std::uint64_t size) {
  if (size == 0) return invalid("an object has at least one byte");
  return check_key(key);
}

Result<ByteRange> whole_range(std::optional<ByteRange> range, std::uint64_t object_size) {
  if (!range) return ByteRange{0, object_size};
  if (range->length > 0 && range->offset < object_size && range->length <= object_size - range->offset)
    return *range;
  return invalid(fmt::format("{} bytes from {} on do not lie within an object of {} bytes", range->length,
                             range->offset, object_size));
}

Failure no_such_object() {
  return not_found("there is no such object");
}

Failure longer_than_announced(std::uint64_t size) {
  return invalid(fmt::format("more than the announced {} bytes came", size));
}

Failure shorter_than_announced(std::uint64_t size, std::uint64_t written) {
  return invalid(fmt::format("{} of the announced {} bytes came", written, size));
}

}  // namespace collect::backups
