// SPDX-License-Identifier: Apache-2.0
#include "backend/s3/s3_upload.h"

#include <fmt/format.h>

#include <algorithm>

#include "backend/s3/s3_answers.h"
#include "backend/s3/s3_download.h"
#include "base/log.h"

namespace collect::s3 {
namespace {

constexpr std::uint64_t kMostParts = 10'000;
constexpr int kCleaningAttempts = 2;

// Half a minute, and what `bytes` take at a pace that is slow for a storage.
std::chrono::milliseconds time_for(std::uint64_t bytes, std::uint64_t bytes_per_second) {
  return std::chrono::seconds(30 + bytes / bytes_per_second);
}
constexpr std::uint64_t kSlowestUpload = std::uint64_t{256} * 1024;
constexpr std::uint64_t kSlowestCopy = std::uint64_t{10} * 1024 * 1024;

std::vector<net::Header> encryption_headers(const S3Options& options) {
  if (options.server_side_encryption.empty()) return {};
  return {{"x-amz-server-side-encryption", options.server_side_encryption}};
}

Result<void> nothing(const Result<Reply>& reply) {
  if (reply || reply.failure().kind == FailureKind::not_found) return {};
  return reply.failure();
}

}  // namespace

std::size_t part_size_for(std::uint64_t size, std::size_t least) {
  return std::max<std::uint64_t>(least, (size + kMostParts - 1) / kMostParts);
}

std::vector<net::Header> metadata_headers(const backups::ObjectMetadata& metadata, const S3Options& options) {
  std::vector<net::Header> headers = encryption_headers(options);
  const auto add = [&](std::string name, const std::string& value) {
    if (!value.empty()) headers.push_back({std::move(name), value});
  };
  add("x-amz-meta-sha256", metadata.sha256);
  add("x-amz-meta-filename", metadata.filename);
  add("x-amz-meta-uploader-ip", metadata.uploader_ip);
  add("Content-Type", metadata.content_type);
  return headers;
}

Result<void> abort_uploads(const S3Client& client, const std::string& key) {
  std::string key_marker;
  std::string id_marker;
  while (true) {
    Query query{{"uploads", ""}, {"prefix", key}};
    if (!key_marker.empty()) query.emplace_back("key-marker", key_marker);
    if (!id_marker.empty()) query.emplace_back("upload-id-marker", id_marker);
    const auto listed =
        client.call({.method = "GET", .query = query, .attempts = kCleaningAttempts, .optional = true});
    if (!listed) return listed.failure();
    if (listed->answer.status >= 300) return {};
    const auto page = parse_uploads(listed->answer.body);
    if (!page) return page.failure();
    for (const auto& entry : page->entries) {
      if (entry.key != key) continue;
      if (auto aborted = nothing(client.call({.method = "DELETE",
                                              .key = key,
                                              .query = {{"uploadId", entry.upload_id}},
                                              .attempts = kCleaningAttempts,
                                              .optional = true}));
          !aborted) {
        return aborted;
      }
    }
    if (!page->more) return {};
    if (page->next_key == key_marker && page->next_upload_id == id_marker)
      return unavailable(client.name() + " gives the same page of a listing again");
    key_marker = page->next_key;
    id_marker = page->next_upload_id;
  }
}

S3Upload::S3Upload(const S3Client& client, OpenMarks& marks, std::string_view key, std::uint64_t size)
    : client_(client),
      marks_(marks),
      key_(key),
      size_(size),
      part_size_(part_size_for(size, client.options().part_size)) {
  filling().buffer = PartBuffer(std::min<std::uint64_t>(size_, part_size_));
}

Result<std::unique_ptr<backups::Upload>> S3Upload::begin(const S3Client& client, OpenMarks& marks,
                                                         std::string_view key, std::uint64_t size) {
  std::unique_ptr<S3Upload> upload(new S3Upload(client, marks, key, size));
  if (upload->in_parts()) {
    if (auto begun = upload->begin_parts(); !begun) return begun.failure();
  }
  return std::unique_ptr<backups::Upload>(std::move(upload));
}

S3Upload::~S3Upload() {
  if (!finished_) clean_up();
}

Result<void> S3Upload::begin_parts() {
  mark_ = marks_.add(key_);
  if (auto marked = client_.call({.method = "PUT", .key = mark_key(*mark_)}); !marked)
    return marked.failure();
  auto headers = encryption_headers(client_.options());
  headers.push_back({std::string(kUnfinished), "1"});
  auto id = create(headers);
  if (!id) return id.failure();
  upload_id_ = std::move(*id);
  return {};
}

Result<std::string> S3Upload::create(const std::vector<net::Header>& headers) {
  const bool stray = std::exchange(stray_uploads_, true);  // unless the first answer comes
  const auto created = client_.call(
      {.method = "POST", .key = key_, .query = {{"uploads", ""}}, .headers = headers, .fresh = true});
  if (!created) return created.failure();
  std::string id = upload_id(created->answer.body);
  if (id.empty()) return unavailable(client_.name() + " began an upload without giving it an id");
  stray_uploads_ = stray || created->attempts > 1;
  return id;
}

Result<void> S3Upload::write(std::string_view bytes) {
  if (ended_) return *ended_;
  if (bytes.size() > size_ - written_) return end(backups::longer_than_announced(size_));
  written_ += bytes.size();
  while (!bytes.empty()) {
    if (filling().buffer.full()) {
      if (auto handed = send_part(); !handed) return end(handed.failure());
    }
    bytes.remove_prefix(filling().buffer.append(bytes));
  }
  return {};
}

Result<void> S3Upload::send_part() {
  Part& full = filling();
  full.sent = std::async(std::launch::async, [this, number = ++taken_, bytes = full.buffer.bytes()] {
    return put_part(number, bytes);
  });
  Part& next = filling();
  if (auto arrived = await_part(next); !arrived) return arrived;
  if (!next.buffer.has_memory()) next.buffer = PartBuffer(part_size_);
  next.buffer.clear();
  return {};
}

Result<void> S3Upload::await_part(Part& part) {
  if (!part.sent.valid()) return {};
  auto etag = part.sent.get();
  if (!etag) return etag.failure();
  etags_.push_back(std::move(*etag));
  return {};
}

Failure S3Upload::lost(const Failure& failure) const {
  if (failure.kind != FailureKind::not_found) return failure;
  return unavailable(client_.name() + " no longer knows of an upload under way");
}

Result<std::string> S3Upload::put_part(std::size_t number, std::string_view bytes) const {
  const auto put = client_.call({.method = "PUT",
                                 .key = key_,
                                 .query = {{"partNumber", std::to_string(number)}, {"uploadId", upload_id_}},
                                 .body = bytes,
                                 .timeout = time_for(bytes.size(), kSlowestUpload),
                                 .stop = &stop_});
  if (!put) return lost(put.failure());
  std::string etag(put->answer.header("ETag"));
  if (etag.empty()) return unavailable(client_.name() + " took a part without giving it an ETag");
  return etag;
}

Result<void> S3Upload::finish(const backups::ObjectMetadata& metadata) {
  if (ended_) return *ended_;
  if (auto checked = backups::check_metadata(metadata); !checked) return end(checked.failure());
  if (written_ != size_) return end(backups::shorter_than_announced(size_, written_));
  if (auto done = in_parts() ? finish_parts(metadata) : put_whole(metadata); !done) {
    clean_up();
    return end(done.failure());
  }
  finished_ = true;
  ended_ = internal("the upload is finished");
  return {};
}

Result<void> S3Upload::put_whole(const backups::ObjectMetadata& metadata) {
  visible_ = true;
  const auto put = client_.call({.method = "PUT",
                                 .key = key_,
                                 .headers = metadata_headers(metadata, client_.options()),
                                 .body = filling().buffer.bytes(),
                                 .timeout = time_for(size_, kSlowestUpload)});
  if (!put) return put.failure();
  return {};
}

Result<void> S3Upload::finish_parts(const backups::ObjectMetadata& metadata) {
  if (auto handed = send_part(); !handed) return handed;
  // From the oldest to the one just sent: in the order of their numbers.
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (auto arrived = await_part(parts_[(taken_ + i) % parts_.size()]); !arrived) return arrived;
  }
  if (auto completed = complete(Described::no); !completed) return completed;
  if (auto described = describe(metadata); !described) return described;
  if (stray_uploads_) {
    // What may be left of it holds no byte: no reason to lose the backup.
    if (auto aborted = abort_uploads(client_, key_); !aborted)
      log::warn("upload_not_cleared", {{"reason", aborted.failure().message}});
  }
  // From here on it counts.
  if (auto unmarked = nothing(client_.call({.method = "DELETE", .key = mark_key(*mark_)})); !unmarked)
    return unmarked;
  marks_.remove(*mark_);
  return {};
}

Result<void> S3Upload::complete(Described described) {
  visible_ = true;
  const std::string body = complete_request(etags_);
  const auto completed = client_.call({.method = "POST",
                                       .key = key_,
                                       .query = {{"uploadId", upload_id_}},
                                       .headers = {{"Content-Type", "application/xml"}},
                                       .body = body,
                                       .timeout = time_for(size_, kSlowestCopy)});
  if (!completed && completed.failure().kind != FailureKind::not_found) return completed.failure();
  // An attempt may have worked whose answer got lost: then the upload is gone and the object is there.
  if (!completed) {
    const auto head = client_.call({.method = "HEAD", .key = key_});
    const bool there = head && head->answer.header("Content-Length") == std::to_string(size_) &&
                       is_unfinished(head->answer) == (described == Described::no);
    if (!there) return unavailable(client_.name() + " lost an upload that was to be completed");
  }
  upload_id_.clear();
  return {};
}

Result<void> S3Upload::describe(const backups::ObjectMetadata& metadata) {
  if (size_ > client_.options().most_copied) return describe_in_parts(metadata);
  auto headers = metadata_headers(metadata, client_.options());
  headers.push_back({"x-amz-copy-source", encode_path("/" + client_.options().bucket + "/" + key_)});
  headers.push_back({"x-amz-metadata-directive", "REPLACE"});
  const auto copied = client_.call(
      {.method = "PUT", .key = key_, .headers = headers, .timeout = time_for(size_, kSlowestCopy)});
  if (!copied) return lost(copied.failure());
  return {};
}

Result<void> S3Upload::describe_in_parts(const backups::ObjectMetadata& metadata) {
  auto id = create(metadata_headers(metadata, client_.options()));
  if (!id) return id.failure();
  upload_id_ = std::move(*id);
  etags_.clear();
  const std::uint64_t step = client_.options().copied_part;
  for (std::uint64_t from = 0; from < size_; from += step) {
    const std::uint64_t last = std::min(from + step, size_) - 1;
    const auto copied = client_.call(
        {.method = "PUT",
         .key = key_,
         .query = {{"partNumber", std::to_string(etags_.size() + 1)}, {"uploadId", upload_id_}},
         .headers = {{"x-amz-copy-source", encode_path("/" + client_.options().bucket + "/" + key_)},
                     {"x-amz-copy-source-range", fmt::format("bytes={}-{}", from, last)}},
         .timeout = time_for(step, kSlowestCopy)});
    if (!copied) return lost(copied.failure());
    etags_.push_back(copied_etag(copied->answer.body));
  }
  return complete(Described::yes);
}

Failure S3Upload::end(Failure failure) {
  ended_ = failure;
  return failure;
}

// What cannot be cleared away now keeps its mark, and a sweep comes back to it.
void S3Upload::clean_up() {
  stop_ = true;
  for (Part& part : parts_) {
    if (part.sent.valid()) part.sent.wait();
  }
  bool clean = true;
  const auto done = [&](const Result<void>& result) {
    if (!result) log::warn("upload_not_cleared", {{"reason", result.failure().message}});
    clean = clean && result;
  };
  if (!upload_id_.empty()) {
    done(nothing(client_.call({.method = "DELETE",
                               .key = key_,
                               .query = {{"uploadId", upload_id_}},
                               .attempts = kCleaningAttempts,
                               .optional = true})));
  }
  if (stray_uploads_) done(abort_uploads(client_, key_));
  if (visible_) done(nothing(client_.call({.method = "DELETE", .key = key_, .attempts = kCleaningAttempts})));
  if (mark_ && clean)
    done(nothing(client_.call({.method = "DELETE", .key = mark_key(*mark_), .attempts = kCleaningAttempts})));
  if (mark_) marks_.remove(*mark_);
  finished_ = true;
}

}  // namespace collect::s3
