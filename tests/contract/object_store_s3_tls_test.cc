// SPDX-License-Identifier: Apache-2.0
// What TLS changes about S3: who covers the bytes of backups, and whom is believed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "contract/object_store_contract.h"
#include "contract/object_store_s3.h"
#include "net/http_client.h"

namespace collect::backups::test {
namespace {

using collect::test::Certificate;
using collect::test::FakeS3;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kKey = "org/NETH-1/a.tar.gz";
constexpr std::size_t kMiB = std::size_t{1024} * 1024;

// A PUT of `bytes`, signed for but without their checksum.
Result<net::ClientAnswer> put_unsigned(const s3::S3Options& options, std::string_view bytes) {
  s3::Signable request{"PUT", options.host, "/" + options.bucket + "/" + kKey, {}, {}, {}};
  request.payload_sha256 = s3::kUnsignedPayload;
  net::HttpClientOptions client_options;
  client_options.ca_file = options.ca_file;
  net::HttpClient client(client_options);
  return client.send({"PUT", options.scheme + "://" + options.host + request.path,
                      s3::sign(request, options.credentials, SystemClock().now()), bytes});
}

FakeS3::Options only_signed_payloads() {
  FakeS3::Options options = two_keys_a_page();
  options.signed_payloads_only = true;
  return options;
}

class S3OverTls : public testing::Test {
 protected:
  const Certificate certificate_;
  FakeS3 fake_{over_tls(certificate_, two_keys_a_page())};
  s3::S3ObjectStore store_{s3_options_for(fake_)};
  const std::string small_ = some_bytes(100'000);
  const std::string large_ = some_bytes(11 * kMiB);  // three parts
};

TEST_F(S3OverTls, SignsNoChecksumsOfWhatTlsCovers) {
  fake_.plan({});
  put(store_, kKey, small_);
  EXPECT_THAT(fake_.unsigned_calls(), ElementsAre(std::string("PUT ") + kKey));
  EXPECT_TRUE(get(store_, kKey) == small_);
  fake_.plan({});
  put(store_, kKey, large_);
  const std::string part = std::string("PUT ") + kKey + "?partNumber&uploadId";
  EXPECT_THAT(fake_.unsigned_calls(), ElementsAre(part, part, part));
  EXPECT_TRUE(get(store_, kKey) == large_);
  EXPECT_EQ(must(store_.head(kKey)).metadata.sha256, to_hex(sha256(large_)));
}

TEST(S3OverHttp, SignsTheChecksumOfEveryPayload) {
  FakeS3 fake(only_signed_payloads());
  s3::S3ObjectStore store(s3_options_for(fake));
  put(store, kKey, some_bytes(100'000));
  put(store, kKey, some_bytes(11 * kMiB));
  EXPECT_THAT(fake.unsigned_calls(), IsEmpty());
}

TEST(S3OverHttp, LeavesThatOutWithinOneMachine) {
  FakeS3 fake(two_keys_a_page());
  s3::S3Options options = s3_options_for(fake);
  options.sign_payloads = false;
  s3::S3ObjectStore store(options);
  put(store, kKey, some_bytes(100'000));
  EXPECT_THAT(fake.unsigned_calls(), ElementsAre(std::string("PUT ") + kKey));
}

TEST_F(S3OverTls, TheFakeTakesUnsignedPayloadsWhereItMay) {
  EXPECT_EQ(must(put_unsigned(s3_options_for(fake_), small_)).status, 200);
  const FakeS3 strict(only_signed_payloads());
  const auto answer = must(put_unsigned(s3_options_for(strict), small_));
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.body, HasSubstr("XAmzContentSHA256Mismatch"));
}

TEST_F(S3OverTls, KeepsItsConnections) {
  for (int i = 0; i < 5; ++i) {
    put(store_, kKey, small_);
    must(store_.head(kKey));
    must(store_.remove(kKey));
  }
  EXPECT_EQ(fake_.connections(), 1);
}

TEST_F(S3OverTls, TrustsNobodyItWasNotToldTo) {
  const Certificate other;
  for (const std::string& ca_file : {std::string(), other.cert()}) {
    s3::S3Options options = s3_options_for(fake_);
    options.ca_file = ca_file;
    s3::S3ObjectStore store(options);
    fake_.plan({});
    for (const Failure& failure :
         {store.head(kKey).failure(), store.open(kKey, {}).failure(), store.list("").failure()}) {
      EXPECT_EQ(failure.kind, FailureKind::unavailable);
      EXPECT_THAT(failure.message, AllOf(HasSubstr("https://127.0.0.1:"), HasSubstr("certificate"),
                                         HasSubstr("BACKUP_S3_CA_FILE"), Not(HasSubstr(kKey))));
    }
    EXPECT_THAT(fake_.calls(), IsEmpty());
  }
}

}  // namespace
}  // namespace collect::backups::test
