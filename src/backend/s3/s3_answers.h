// SPDX-License-Identifier: Apache-2.0
// What S3 answers, read (docs.aws.amazon.com/AmazonS3/latest/API). Pure. What was cut short, or is no XML, is
// none of these answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backups/object_store.h"
#include "base/result.h"

namespace collect::s3 {

// <Error><Code>: "NoSuchKey"; empty when the text is no such answer. At most 64 letters: fit for messages.
std::string error_code(std::string_view xml);

struct ListPage {
  std::vector<backups::ObjectEntry> entries;
  std::string continuation;  // empty: this was the last page
};
// ListObjectsV2. `unavailable`: it is none.
Result<ListPage> parse_list(std::string_view xml);

struct UploadsPage {
  struct Entry {
    std::string key;
    std::string upload_id;
  };
  std::vector<Entry> entries;
  bool more = false;
  std::string next_key;
  std::string next_upload_id;
};
// ListMultipartUploads. `unavailable`: it is none.
Result<UploadsPage> parse_uploads(std::string_view xml);

// CreateMultipartUpload's <UploadId>, CopyObject's and UploadPartCopy's <ETag>. Empty when there is none.
std::string upload_id(std::string_view xml);
std::string copied_etag(std::string_view xml);

// CompleteMultipartUpload's request: the parts' ETags from number 1 on.
std::string complete_request(const std::vector<std::string>& etags);

// "Wed, 21 Oct 2015 07:28:00 GMT" (RFC 9110 section 5.6.7).
std::optional<Time> parse_http_date(std::string_view text);

}  // namespace collect::s3
