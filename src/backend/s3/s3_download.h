// SPDX-License-Identifier: Apache-2.0
// One download from a bucket. A connection that breaks off is replaced where it stopped, three times in a
// row.
#pragma once

#include <memory>
#include <string>

#include "backend/s3/s3_client.h"
#include "backups/object_store.h"

namespace collect::s3 {

// What the head of a GET's or HEAD's answer says. The size is that of `Content-Length`, the whole object's
// where no range was asked for; `unavailable` without one.
Result<backups::ObjectInfo> object_info(const S3Client& client, std::string key,
                                        const net::ClientAnswer& answer);

// It was completed, but not yet described: there is no such object yet.
bool is_unfinished(const net::ClientAnswer& answer);

class S3Download final : public backups::Download {
 public:
  // The whole object.
  static Result<std::unique_ptr<backups::Download>> open(const S3Client& client, std::string key);
  // That range of the object that `head` is about.
  static Result<std::unique_ptr<backups::Download>> open(const S3Client& client,
                                                         const net::ClientAnswer& head, std::string key,
                                                         backups::ByteRange range);

  [[nodiscard]] const backups::ObjectInfo& info() const override { return info_; }
  Result<std::size_t> read(std::span<char> into) override;

 private:
  S3Download(const S3Client& client, backups::ObjectInfo info, std::string etag, backups::ByteRange left)
      : client_(client), info_(std::move(info)), etag_(std::move(etag)), left_(left) {}

  Result<void> reopen();

  const S3Client& client_;
  const backups::ObjectInfo info_;
  const std::string etag_;  // of the version that is read
  backups::ByteRange left_;
  std::unique_ptr<net::HttpDownload> stream_;
};

}  // namespace collect::s3
