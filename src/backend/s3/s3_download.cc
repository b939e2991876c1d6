// SPDX-License-Identifier: Apache-2.0
#include "backend/s3/s3_download.h"

#include <fmt/format.h>

#include <charconv>

#include "backend/s3/s3_answers.h"
#include "backend/s3/s3_marks.h"

namespace collect::s3 {
namespace {

constexpr int kMostBreaks = 3;

// Nothing where it says none: then nobody could tell a whole object from half of it.
std::optional<std::uint64_t> length_of(const net::ClientAnswer& answer) {
  const std::string_view text = answer.header("Content-Length");
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return length;
}

}  // namespace

Result<backups::ObjectInfo> object_info(const S3Client& client, std::string key,
                                        const net::ClientAnswer& answer) {
  const auto length = length_of(answer);
  if (!length) return unavailable(client.name() + " does not say how long an object is");
  const auto text = [&](std::string_view name) { return std::string(answer.header(name)); };
  const auto modified = parse_http_date(answer.header("Last-Modified"));
  return backups::ObjectInfo{
      {std::move(key), *length, modified.value_or(Time())},
      backups::without_bad_parts({text("x-amz-meta-sha256"), text("x-amz-meta-filename"),
                                  text("x-amz-meta-uploader-ip"), text("Content-Type")})};
}

bool is_unfinished(const net::ClientAnswer& answer) {
  return !answer.header(kUnfinished).empty();
}

Result<std::unique_ptr<backups::Download>> S3Download::open(const S3Client& client, std::string key) {
  auto stream = client.download({.method = "GET", .key = key});
  if (!stream) return stream.failure();
  const net::ClientAnswer& head = (*stream)->head();
  if (is_unfinished(head)) return backups::no_such_object();
  auto info = object_info(client, std::move(key), head);
  if (!info) return info.failure();
  const backups::ByteRange whole{0, info->entry.size};
  std::unique_ptr<S3Download> download(
      new S3Download(client, *std::move(info), std::string(head.header("ETag")), whole));
  download->stream_ = std::move(*stream);
  return std::unique_ptr<backups::Download>(std::move(download));
}

Result<std::unique_ptr<backups::Download>> S3Download::open(const S3Client& client,
                                                            const net::ClientAnswer& head, std::string key,
                                                            backups::ByteRange range) {
  auto info = object_info(client, std::move(key), head);
  if (!info) return info.failure();
  std::unique_ptr<S3Download> download(
      new S3Download(client, *std::move(info), std::string(head.header("ETag")), range));
  if (auto opened = download->reopen(); !opened) return opened.failure();
  return std::unique_ptr<backups::Download>(std::move(download));
}

Result<void> S3Download::reopen() {
  const std::uint64_t last = left_.offset + left_.length - 1;
  std::vector<net::Header> headers{{"Range", fmt::format("bytes={}-{}", left_.offset, last)}};
  if (!etag_.empty()) headers.push_back({"If-Match", etag_});
  auto stream = client_.download({.method = "GET", .key = info_.entry.key, .headers = std::move(headers)});
  if (!stream) return stream.failure();
  // More than was asked for does no harm (s3rver takes the last byte 0 for none), less is asked for again.
  const auto range = fmt::format("bytes {}-", left_.offset);
  if ((*stream)->head().status != 206 || !(*stream)->head().header("Content-Range").starts_with(range))
    return unavailable(client_.name() + " gave another range of an object than was asked for");
  stream_ = std::move(*stream);
  return {};
}

Result<std::size_t> S3Download::read(std::span<char> into) {
  if (left_.length == 0) return std::size_t{0};
  for (int breaks = 0;; ++breaks) {
    auto count = stream_->read(into.first(std::min<std::uint64_t>(into.size(), left_.length)));
    if (count && *count > 0) {
      left_.offset += *count;
      left_.length -= *count;
      return count;
    }
    if (count) count = unavailable(client_.name() + " ended an object too early");
    if (breaks == kMostBreaks) return count;
    if (auto opened = reopen(); !opened) return opened.failure();
  }
}

}  // namespace collect::s3
