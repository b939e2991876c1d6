// SPDX-License-Identifier: Apache-2.0
// backend/s3/s3_answers: the XML that an S3 answers with.
#include <algorithm>

#include "backend/s3/s3_answers.h"
#include "fuzz/fuzz.h"

namespace collect::fuzz {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) out += "&#" + std::to_string(static_cast<unsigned char>(c)) + ";";
  return out;
}

// A listing as Amazon writes it, of whatever names.
void hold_listing(std::string_view input) {
  std::vector<std::string> keys;
  std::string xml =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/"
      "doc/2006-03-01/\"><Name>b</Name>";
  while (!input.empty() && keys.size() < 20) {
    std::string key;
    // Amazon's keys are UTF-8; control characters are no XML 1.0.
    for (const char c : take_part(input, '\n')) {
      if (c > 0x20 && c < 0x7F) key += c;
    }
    if (key.empty()) continue;
    xml += "<Contents><Key>" + escaped(key) +
           "</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><Size>" + std::to_string(keys.size()) +
           "</Size></Contents>";
    keys.push_back(key);
  }
  const bool more = keys.size() % 2 == 1;
  xml += more ? "<IsTruncated>true</IsTruncated><NextContinuationToken>t/=</NextContinuationToken>" : "";
  const auto page = s3::parse_list(xml + "</ListBucketResult>");
  hold(page.ok() && page->entries.size() == keys.size(), "a listing has all its entries");
  for (std::size_t i = 0; i < keys.size(); ++i) {
    hold(page->entries[i].key == keys[i] && page->entries[i].size == i, "an entry is read as it was written");
  }
  hold(page->continuation == (more ? "t/=" : ""), "a listing says how it goes on");
  // Cut short it is no listing, and must not pass for the whole.
  for (std::size_t cut = 1; cut < xml.size(); cut += 1 + xml.size() / 16) {
    hold(!s3::parse_list(xml.substr(0, xml.size() - cut)).ok(), "what was cut short is no listing");
  }
}

}  // namespace

void run(std::string_view input) {
  const std::string code = s3::error_code(input);
  hold(code.size() <= 64 && std::ranges::all_of(code,
                                                [](char c) {
                                                  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                                         (c >= '0' && c <= '9') || c == '.';
                                                }),
       "an error's code is fit for messages");
  if (const auto page = s3::parse_list(input); !page)
    hold(page.failure().kind == FailureKind::unavailable, "what is no listing may be one later");
  if (const auto page = s3::parse_uploads(input); !page) {
    hold(page.failure().kind == FailureKind::unavailable, "what is no listing may be one later");
  } else {
    hold(!page->more || !page->next_key.empty() || !page->next_upload_id.empty(),
         "a listing that goes on says where");
  }
  (void)s3::upload_id(input);
  // An ETag goes into a document of ours and has to come out of it as it was.
  const std::string etag = s3::copied_etag(input);
  const std::string request = s3::complete_request({etag, std::string(input)});
  hold(std::ranges::count(request, '<') == 2 + 2 * 6, "no ETag makes an element");
  hold_listing(input);
}

}  // namespace collect::fuzz
