// SPDX-License-Identifier: Apache-2.0
#include "backend/s3/s3_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <pugixml.hpp>

#include "base/markup.h"

namespace collect::s3 {
namespace {

// The root element, wherever its namespace is from; none of a text that is no whole document: of one that was
// cut short pugixml keeps what it has read so far, and half a listing must not pass for all of it.
pugi::xml_node root_of(pugi::xml_document& document, std::string_view xml) {
  if (!document.load_buffer(xml.data(), xml.size())) return {};
  return document.document_element();
}
// One of that name.
pugi::xml_node root_of(pugi::xml_document& document, std::string_view xml, std::string_view name) {
  const pugi::xml_node root = root_of(document, xml);
  return root.name() == name ? root : pugi::xml_node();
}

bool is_true(const pugi::xml_node& node) {
  return std::string_view(node.text().get()) == "true";
}

}  // namespace

std::string error_code(std::string_view xml) {
  pugi::xml_document document;
  std::string code = root_of(document, xml, "Error").child("Code").text().get();
  const bool letters = std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
  });
  return letters && code.size() <= 64 ? code : "";
}

Result<ListPage> parse_list(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_node root = root_of(document, xml, "ListBucketResult");
  if (!root) return unavailable("S3 answered a listing with something else");
  ListPage page;
  for (const pugi::xml_node& node : root.children("Contents")) {
    const auto modified = parse_rfc3339(node.child("LastModified").text().get());
    page.entries.push_back({node.child("Key").text().get(), node.child("Size").text().as_ullong(),
                            modified ? *modified : Time()});
  }
  if (!is_true(root.child("IsTruncated"))) return page;
  page.continuation = root.child("NextContinuationToken").text().get();
  if (page.continuation.empty()) return unavailable("S3 cut a listing short without saying how to go on");
  return page;
}

Result<UploadsPage> parse_uploads(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_node root = root_of(document, xml, "ListMultipartUploadsResult");
  if (!root) return unavailable("S3 answered a listing of uploads with something else");
  UploadsPage page;
  for (const pugi::xml_node& node : root.children("Upload"))
    page.entries.push_back({node.child("Key").text().get(), node.child("UploadId").text().get()});
  page.more = is_true(root.child("IsTruncated"));
  page.next_key = root.child("NextKeyMarker").text().get();
  page.next_upload_id = root.child("NextUploadIdMarker").text().get();
  if (page.more && page.next_key.empty())
    return unavailable("S3 cut a listing of uploads short without saying how to go on");
  return page;
}

std::string upload_id(std::string_view xml) {
  pugi::xml_document document;
  return root_of(document, xml, "InitiateMultipartUploadResult").child("UploadId").text().get();
}

std::string copied_etag(std::string_view xml) {
  pugi::xml_document document;
  return root_of(document, xml).child("ETag").text().get();
}

std::string complete_request(const std::vector<std::string>& etags) {
  std::string out = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (std::size_t i = 0; i < etags.size(); ++i) {
    out += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", i + 1,
                       markup_escaped(etags[i]));
  }
  return out + "</CompleteMultipartUpload>";
}

std::optional<Time> parse_http_date(std::string_view text) {
  constexpr int kYearOne = 1 - 1900;  // as tm counts; there is no year 0
  std::tm fields{};
  const std::string copy(text);
  const char* end = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &fields);
  if (end != copy.c_str() + copy.size() || fields.tm_year < kYearOne) return std::nullopt;
  return Time(std::chrono::seconds(::timegm(&fields)));
}

}  // namespace collect::s3
