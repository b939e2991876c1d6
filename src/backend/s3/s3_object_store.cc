// SPDX-License-Identifier: Apache-2.0
#include "backend/s3/s3_object_store.h"

#include <algorithm>
#include <set>

#include "backend/s3/s3_answers.h"
#include "backend/s3/s3_download.h"
#include "backend/s3/s3_upload.h"
#include "base/log.h"

namespace collect::s3 {
namespace {

using backups::ObjectEntry;

// Another host's process cannot be asked for.
constexpr std::chrono::hours kLongestUpload{24};

Failure missing_or(const Failure& failure) {
  return failure.kind == FailureKind::not_found ? backups::no_such_object() : failure;
}

}  // namespace

Result<std::unique_ptr<backups::Upload>> S3ObjectStore::begin(std::string_view key, std::uint64_t size) {
  if (auto checked = backups::check_upload(key, size); !checked) return checked.failure();
  return S3Upload::begin(client_, marks_, key, size);
}

Result<std::unique_ptr<backups::Download>> S3ObjectStore::open(std::string_view key,
                                                               std::optional<backups::ByteRange> range) {
  if (auto checked = backups::check_key(key); !checked) return checked.failure();
  if (!range) {
    auto download = S3Download::open(client_, std::string(key));
    if (!download) return missing_or(download.failure());
    return download;
  }
  const auto head = client_.call({.method = "HEAD", .key = std::string(key)});
  if (!head) return missing_or(head.failure());
  if (is_unfinished(head->answer)) return backups::no_such_object();
  const auto info = object_info(client_, {}, head->answer);
  if (!info) return info.failure();
  const auto whole = backups::whole_range(range, info->entry.size);
  if (!whole) return whole.failure();
  auto download = S3Download::open(client_, head->answer, std::string(key), *whole);
  if (!download) return missing_or(download.failure());
  return download;
}

Result<backups::ObjectInfo> S3ObjectStore::head(std::string_view key) {
  if (auto checked = backups::check_key(key); !checked) return checked.failure();
  const auto head = client_.call({.method = "HEAD", .key = std::string(key)});
  if (!head) return missing_or(head.failure());
  if (is_unfinished(head->answer)) return backups::no_such_object();
  return object_info(client_, std::string(key), head->answer);
}

Result<std::vector<ObjectEntry>> S3ObjectStore::list_raw(const std::string& prefix) const {
  std::vector<ObjectEntry> entries;
  std::string continuation;
  do {
    Query query{{"list-type", "2"}, {"prefix", prefix}};
    if (!continuation.empty()) query.emplace_back("continuation-token", continuation);
    const auto listed = client_.call({.method = "GET", .query = query});
    if (!listed && listed.failure().kind == FailureKind::not_found)
      return unavailable(client_.name() + " cannot be listed: check S3_ENDPOINT and BACKUP_S3_BUCKET");
    if (!listed) return listed.failure();
    auto page = parse_list(listed->answer.body);
    if (!page) return page.failure();
    if (page->continuation == continuation && !continuation.empty())
      return unavailable(client_.name() + " gives the same page of a listing again");
    std::move(page->entries.begin(), page->entries.end(), std::back_inserter(entries));
    continuation = std::move(page->continuation);
  } while (!continuation.empty());
  return entries;
}

Result<std::vector<ObjectEntry>> S3ObjectStore::list(std::string_view prefix) {
  if (auto checked = backups::check_prefix(prefix); !checked) return checked.failure();
  auto entries = list_raw(std::string(prefix));
  if (!entries) return entries.failure();
  // The marks after the objects: what is finished in between has its object listed and its mark gone.
  const auto marks = list_raw(std::string(kMarks) + std::string(prefix));
  if (!marks) return marks.failure();
  std::set<std::string> unfinished;
  for (const ObjectEntry& entry : *marks) {
    if (auto mark = parse_mark(entry.key)) unfinished.insert(std::move(mark->key));
  }
  // Others' objects whose names are no keys cannot be asked for anyway.
  std::erase_if(*entries, [&](const ObjectEntry& entry) {
    return unfinished.contains(entry.key) || !backups::check_key(entry.key);
  });
  std::sort(entries->begin(), entries->end(),
            [](const ObjectEntry& a, const ObjectEntry& b) { return a.key < b.key; });
  return entries;
}

Result<void> S3ObjectStore::remove(std::string_view key) {
  if (auto checked = backups::check_key(key); !checked) return checked;
  const auto removed = client_.call({.method = "DELETE", .key = std::string(key)});
  if (!removed && removed.failure().kind != FailureKind::not_found) return removed.failure();
  return {};
}

Result<std::size_t> S3ObjectStore::sweep(Time now) {
  const auto entries = list_raw(std::string(kMarks));
  if (!entries) return entries.failure();
  std::size_t swept = 0;
  for (const ObjectEntry& entry : *entries) {
    const auto mark = parse_mark(entry.key);
    if (!mark || (!marks_.is_left(*mark) && entry.modified > now - kLongestUpload)) continue;
    // It may have been finished since it was listed; then its mark is gone.
    const auto still = client_.call({.method = "HEAD", .key = entry.key});
    if (!still && still.failure().kind == FailureKind::not_found) continue;
    if (!still) return still.failure();
    if (auto cleared = clear(*mark); !cleared) return cleared.failure();
    ++swept;
  }
  return swept;
}

Result<void> S3ObjectStore::clear(const Mark& mark) const {
  // Some storages cannot list uploads. What they keep of one is no object, and theirs to expire.
  if (auto aborted = abort_uploads(client_, mark.key); !aborted)
    log::warn("upload_not_cleared", {{"reason", aborted.failure().message}});
  for (const std::string& key : {mark.key, mark_key(mark)}) {
    const auto removed = client_.call({.method = "DELETE", .key = key});
    if (!removed && removed.failure().kind != FailureKind::not_found) return removed.failure();
  }
  return {};
}

}  // namespace collect::s3
