// SPDX-License-Identifier: Apache-2.0
#include "backups/backup.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "net/http.h"

namespace collect::backups {
namespace {

constexpr std::size_t kUuid = 36;
constexpr std::size_t kMost = 255;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_name_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

bool is_lower_uuid_v7(std::string_view text) {
  return is_uuid(text) && text[14] == '7' &&
         std::string_view("89ab").find(text[19]) != std::string_view::npos &&
         std::ranges::none_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::string_view extension_of(std::string_view filename) {
  for (const std::string_view extension : kExtensions) {
    if (filename.size() < extension.size()) continue;
    const std::string_view end = filename.substr(filename.size() - extension.size());
    if (std::ranges::equal(end, extension, {}, lower)) return extension;
  }
  return ".bin";
}

std::string_view last_part(std::string_view text, std::string_view separators) {
  const std::size_t at = text.find_last_of(separators);
  return at == std::string_view::npos ? text : text.substr(at + 1);
}

}  // namespace

BackupId BackupId::make(std::string_view filename, Time now) {
  return BackupId(new_uuid_v7(now).append(extension_of(filename)));
}

std::optional<BackupId> BackupId::parse(std::string_view text) {
  if (text.size() <= kUuid || !is_lower_uuid_v7(text.substr(0, kUuid))) return std::nullopt;
  if (std::ranges::find(kExtensions, text.substr(kUuid)) == kExtensions.end()) return std::nullopt;
  return BackupId(std::string(text));
}

// RFC 9562 section 5.7: the first 48 bits are milliseconds since 1970.
Time BackupId::uploaded_at() const {
  const std::string digits = text_.substr(0, 8) + text_.substr(9, 4);
  std::uint64_t millis = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), millis, 16);
  return Time(std::chrono::milliseconds(millis));
}

std::string organization_prefix(const Owner& owner) {
  return owner.organization_id.text() + "/";
}

std::string system_prefix(const Owner& owner) {
  return organization_prefix(owner) + owner.system_key + "/";
}

std::string key_of(const Owner& owner, const BackupId& id) {
  return system_prefix(owner) + id.text();
}

std::optional<BackupId> id_of_key(std::string_view key) {
  return BackupId::parse(last_part(key, "/"));
}

std::string safe_filename(std::string_view given) {
  std::string name(last_part(given, "/\\"));
  name.resize(std::min(name.size(), kMost));
  std::ranges::replace_if(
      name, [](char c) { return !is_name_char(c); }, '_');
  return name.find_first_not_of('.') == std::string::npos ? std::string() : name;
}

std::string safe_mimetype(std::string_view given) {
  const std::string_view essence = given.substr(0, given.find_first_of("; \t"));
  const std::size_t slash = essence.find('/');
  const bool good = slash != std::string_view::npos && net::is_token(essence.substr(0, slash)) &&
                    net::is_token(essence.substr(slash + 1)) && given.size() <= kMost &&
                    std::ranges::all_of(given, [](char c) { return c >= 0x20 && c < 0x7f; });
  return good ? std::string(given) : "application/octet-stream";
}

}  // namespace collect::backups
