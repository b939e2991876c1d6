// SPDX-License-Identifier: Apache-2.0
// One upload into a bucket. What fits into one part is one PUT with everything known. More goes in parts:
// two are sent while the next one fills. An upload in parts has to name its metadata before the first byte,
// and the checksum is known after the last one, so the whole object is copied onto itself with its metadata;
// a mark (s3_marks.h) keeps it out of sight until then. docs/decisions/0016 counts the requests.
#pragma once

#include <array>
#include <atomic>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "backend/s3/part_buffer.h"
#include "backend/s3/s3_client.h"
#include "backend/s3/s3_marks.h"
#include "backups/object_store.h"

namespace collect::s3 {

// Bytes in each part but the last: `least`, or what makes 10,000 parts do.
std::size_t part_size_for(std::uint64_t size, std::size_t least);

class S3Upload final : public backups::Upload {
 public:
  static Result<std::unique_ptr<backups::Upload>> begin(const S3Client& client, OpenMarks& marks,
                                                        std::string_view key, std::uint64_t size);
  ~S3Upload() override;
  S3Upload(const S3Upload&) = delete;
  S3Upload& operator=(const S3Upload&) = delete;

  Result<void> write(std::string_view bytes) override;
  Result<void> finish(const backups::ObjectMetadata& metadata) override;

 private:
  S3Upload(const S3Client& client, OpenMarks& marks, std::string_view key, std::uint64_t size);

  [[nodiscard]] bool in_parts() const { return size_ > part_size_; }
  Result<void> begin_parts();
  // A part, from its first byte to its ETag.
  struct Part {
    PartBuffer buffer;                      // of the thread behind `sent` while that is valid
    std::future<Result<std::string>> sent;  // the ETag
  };
  Part& filling() { return parts_[taken_ % parts_.size()]; }
  // Sends what was filled, and waits until the next can be: for the oldest that is under way.
  Result<void> send_part();
  Result<void> await_part(Part& part);
  Result<std::string> put_part(std::size_t number, std::string_view bytes) const;
  // The object is there then, with its metadata or still to be described.
  enum class Described { no, yes };
  Result<void> complete(Described described);
  Result<void> put_whole(const backups::ObjectMetadata& metadata);
  Result<void> finish_parts(const backups::ObjectMetadata& metadata);
  Result<void> describe(const backups::ObjectMetadata& metadata);
  Result<void> describe_in_parts(const backups::ObjectMetadata& metadata);
  Result<std::string> create(const std::vector<net::Header>& headers);
  // What a 404 means in the middle of an upload.
  [[nodiscard]] Failure lost(const Failure& failure) const;
  Failure end(Failure failure);
  void clean_up();

  const S3Client& client_;
  OpenMarks& marks_;
  const std::string key_;
  const std::uint64_t size_;
  const std::size_t part_size_;
  std::uint64_t written_ = 0;
  std::array<Part, 3> parts_;       // in turn: two under way while one is filled
  std::size_t taken_ = 0;           // parts that were sent
  std::vector<std::string> etags_;  // of the parts that arrived
  std::optional<Mark> mark_;
  std::string upload_id_;       // of what has to be completed or aborted
  bool stray_uploads_ = false;  // a second upload may have been created, its answer lost
  bool visible_ = false;        // there may be an object under the key
  std::optional<Failure> ended_;
  bool finished_ = false;
  std::atomic<bool> stop_ = false;
};

// The headers that carry it.
std::vector<net::Header> metadata_headers(const backups::ObjectMetadata& metadata, const S3Options& options);

// Aborts whatever is being uploaded under that key. A storage that cannot tell has nothing to abort.
Result<void> abort_uploads(const S3Client& client, const std::string& key);

}  // namespace collect::s3
