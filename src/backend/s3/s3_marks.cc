// SPDX-License-Identifier: Apache-2.0
#include "backend/s3/s3_marks.h"

#include "backups/object_store.h"
#include "base/ids.h"
#include "queue/worker_id.h"

namespace collect::s3 {
namespace {

constexpr std::string_view kName = "upload-";

}  // namespace

std::string mark_key(const Mark& mark) {
  return std::string(kMarks) + mark.key + "/" + mark.owner;
}

std::optional<Mark> parse_mark(std::string_view key) {
  if (!key.starts_with(kMarks)) return std::nullopt;
  key.remove_prefix(kMarks.size());
  const auto slash = key.rfind('/');
  if (slash == std::string_view::npos || slash + 1 == key.size()) return std::nullopt;
  // Whoever finds a mark may remove what it names.
  if (!backups::check_key(key.substr(0, slash))) return std::nullopt;
  return Mark{std::string(key.substr(0, slash)), std::string(key.substr(slash + 1))};
}

Mark OpenMarks::add(std::string_view key) {
  Mark mark{std::string(key), queue::this_worker(std::string(kName) + random_hex(8)).text};
  const std::lock_guard lock(mutex_);
  owners_.insert(mark.owner);
  return mark;
}

void OpenMarks::remove(const Mark& mark) {
  const std::lock_guard lock(mutex_);
  owners_.erase(mark.owner);
}

bool OpenMarks::is_left(const Mark& mark) const {
  if (queue::is_gone(mark.owner)) return true;
  const std::string us = queue::this_worker("").text;
  const std::lock_guard lock(mutex_);
  return mark.owner.starts_with(us) && !owners_.contains(mark.owner);
}

}  // namespace collect::s3
