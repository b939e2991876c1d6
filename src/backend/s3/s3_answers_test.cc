// SPDX-License-Identifier: Apache-2.0
// Texts as in Amazon's API reference.
#include "backend/s3/s3_answers.h"

#include <gtest/gtest.h>

namespace collect::s3 {
namespace {

TEST(S3Answers, ReadAnErrorsCode) {
  EXPECT_EQ(
      error_code("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>The "
                 "resource you requested does not exist</Message></Error>"),
      "NoSuchKey");
  // Copying and completing send white space first, to keep the connection open.
  EXPECT_EQ(error_code("<?xml version=\"1.0\"?>   \n\n <Error><Code>InternalError</Code></Error>"),
            "InternalError");
  EXPECT_EQ(error_code("<CopyObjectResult><ETag>\"x\"</ETag></CopyObjectResult>"), "");
  EXPECT_EQ(error_code("<Error><Code>bad\nline</Code></Error>"), "");
  for (const char* text :
       {"", "<", "<Error>", "<html>busy</html>", "<!DOCTYPE x [<!ENTITY a \"b\">]><Error>&a;"})
    EXPECT_EQ(error_code(text), "") << text;
}

TEST(S3Answers, ReadAListingAndHowItGoesOn) {
  const auto page = parse_list(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult "
      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      "<Name>bucket</Name><Prefix/><NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</"
      "NextContinuationToken><KeyCount>2</KeyCount><MaxKeys>2</MaxKeys><IsTruncated>true</"
      "IsTruncated><Contents><Key>a&amp;"
      "b.jpg</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified><ETag>&quot;fba9&quot;</"
      "ETag><Size>434234</Size>"
      "</Contents><Contents><Key>c</Key><LastModified>2009-10-12T17:50:30.000Z</"
      "LastModified><Size>5368709121</Size>"
      "</Contents></ListBucketResult>");
  ASSERT_TRUE(page);
  ASSERT_EQ(page->entries.size(), 2U);
  EXPECT_EQ(page->entries[0].key, "a&b.jpg");
  EXPECT_EQ(page->entries[0].size, 434234U);
  EXPECT_EQ(to_rfc3339(page->entries[0].modified), "2009-10-12T17:50:30.000000Z");
  EXPECT_EQ(page->entries[1].size, 5368709121U);
  EXPECT_EQ(page->continuation, "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=");
  EXPECT_FALSE(parse_list("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"));
  EXPECT_FALSE(parse_list("<html>a portal of some network</html>"));
  EXPECT_FALSE(parse_list(""));
}

TEST(S3Answers, HalfAListingIsNone) {
  const std::string listing =
      "<ListBucketResult><Contents><Key>a</Key><Size>1</Size></Contents><Contents><Key>b</Key></Contents>"
      "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>";
  ASSERT_TRUE(parse_list(listing));
  const std::string uploads =
      "<ListMultipartUploadsResult><Upload><Key>k</Key><UploadId>i</UploadId></Upload>"
      "</ListMultipartUploadsResult>";
  ASSERT_TRUE(parse_uploads(uploads));
  for (std::size_t size = 0; size < listing.size(); ++size)
    EXPECT_FALSE(parse_list(std::string_view(listing).substr(0, size))) << size;
  for (std::size_t size = 0; size < uploads.size(); ++size)
    EXPECT_FALSE(parse_uploads(std::string_view(uploads).substr(0, size))) << size;
  EXPECT_EQ(copied_etag("<CopyPartResult><ETag>9b2c"), "");
  EXPECT_EQ(upload_id("<InitiateMultipartUploadResult><UploadId>VX"), "");
}

TEST(S3Answers, AListingOfUploadsThatGoesOnSaysWhere) {
  EXPECT_FALSE(parse_uploads(
      "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated></ListMultipartUploadsResult>"));
}

TEST(S3Answers, ReadUploads) {
  const auto page = parse_uploads(
      "<ListMultipartUploadsResult "
      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><NextKeyMarker>k</NextKeyMarker>"
      "<NextUploadIdMarker>i</NextUploadIdMarker><IsTruncated>true</IsTruncated><Upload><Key>k</"
      "Key><UploadId>i</UploadId>"
      "</Upload></ListMultipartUploadsResult>");
  ASSERT_TRUE(page);
  ASSERT_EQ(page->entries.size(), 1U);
  EXPECT_EQ(page->entries[0].upload_id, "i");
  EXPECT_TRUE(page->more);
  EXPECT_EQ(page->next_key, "k");
  EXPECT_FALSE(parse_uploads("<x/>"));
  EXPECT_EQ(
      upload_id("<InitiateMultipartUploadResult><UploadId>VXBs</UploadId></InitiateMultipartUploadResult>"),
      "VXBs");
  EXPECT_EQ(copied_etag("<CopyPartResult><ETag>&quot;9b2c&quot;</ETag></CopyPartResult>"), "\"9b2c\"");
}

TEST(S3Answers, WriteACompletingRequest) {
  EXPECT_EQ(
      complete_request({"\"a54\"", "\"0c7&\""}),
      "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      "<Part><PartNumber>1</PartNumber><ETag>&quot;a54&quot;</ETag></Part>"
      "<Part><PartNumber>2</PartNumber><ETag>&quot;0c7&amp;&quot;</ETag></Part></CompleteMultipartUpload>");
}

TEST(S3Answers, ReadHttpDates) {
  EXPECT_EQ(to_rfc3339(*parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT")), "2015-10-21T07:28:00.000000Z");
  EXPECT_FALSE(parse_http_date("yesterday"));
  EXPECT_FALSE(parse_http_date("Wed, 01 Jan 0000 00:00:00 GMT"));
  EXPECT_FALSE(parse_http_date(std::string_view("Wed, 21 Oct 2015 07:28:00 GMT\0x", 31)));
  EXPECT_FALSE(parse_http_date(""));
}

}  // namespace
}  // namespace collect::s3
