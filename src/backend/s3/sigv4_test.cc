// SPDX-License-Identifier: Apache-2.0
// Against the examples of Amazon's documentation ("Authenticating Requests: Using the Authorization Header").
#include "backend/s3/sigv4.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace collect::s3 {
namespace {

const Credentials kExample{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1"};
const Time kMay24 = *parse_rfc3339("2013-05-24T00:00:00Z");

std::string authorization(const Signable& request) {
  return sign(request, kExample, kMay24).back().value;
}

std::string expected(const std::string& headers, const std::string& signature) {
  return "AWS4-HMAC-SHA256 "
         "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=" +
         headers + ",Signature=" + signature;
}

Signable example(std::string method, std::string path, Query query, std::vector<net::Header> headers,
                 std::string_view payload = {}) {
  return {std::move(method),  "examplebucket.s3.amazonaws.com", std::move(path), std::move(query),
          std::move(headers), to_hex(sha256(payload))};
}

TEST(SigV4, SignsAmazonsGetObject) {
  EXPECT_EQ(authorization(example("GET", "/test.txt", {}, {{"Range", "bytes=0-9"}})),
            expected("host;range;x-amz-content-sha256;x-amz-date",
                     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"));
}

TEST(SigV4, SignsAmazonsPutObject) {
  EXPECT_EQ(authorization(example(
                "PUT", "/test$file.text", {},
                {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                "Welcome to Amazon S3.")),
            expected("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
}

TEST(SigV4, SignsAmazonsGetBucketLifecycle) {
  EXPECT_EQ(authorization(example("GET", "/", {{"lifecycle", ""}}, {})),
            expected("host;x-amz-content-sha256;x-amz-date",
                     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
}

TEST(SigV4, SignsAmazonsListObjectsWhateverTheOrderOfItsParameters) {
  for (const Query& query :
       {Query{{"max-keys", "2"}, {"prefix", "J"}}, Query{{"prefix", "J"}, {"max-keys", "2"}}}) {
    EXPECT_EQ(authorization(example("GET", "/", query, {})),
              expected("host;x-amz-content-sha256;x-amz-date",
                       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
  }
}

TEST(SigV4, EncodesAsAmazonDoes) {
  EXPECT_EQ(encode_path("/a b/c+d/\xc3\xa4~_-.$"), "/a%20b/c%2Bd/%C3%A4~_-.%24");
  EXPECT_EQ(encode_query({{"prefix", "org/a b"}, {"list-type", "2"}, {"uploads", ""}}),
            "list-type=2&prefix=org%2Fa%20b&uploads=");
  // Sorted as encoded bytes, name before value.
  EXPECT_EQ(encode_query({{"b", "1"}, {"a", "2"}, {"a", "1"}, {"A", "3"}}), "A=3&a=1&a=2&b=1");
}

TEST(SigV4, CountsSpacesOfValuesOnce) {
  const auto one = example("GET", "/", {}, {{"x-amz-meta-filename", "a  b"}});
  const auto two = example("GET", "/", {}, {{"X-Amz-Meta-Filename", " a b "}});
  EXPECT_EQ(authorization(one), authorization(two));
}

TEST(SigV4, TheSecretIsInNoHeader) {
  for (const auto& header : sign(example("GET", "/", {}, {}), kExample, kMay24))
    EXPECT_EQ(header.value.find(kExample.secret_key), std::string::npos);
}

}  // namespace
}  // namespace collect::s3
