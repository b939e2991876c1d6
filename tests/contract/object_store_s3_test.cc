// SPDX-License-Identifier: Apache-2.0
// What only S3 has: requests that fail at any point, metadata that comes last, and what a killed process
// leaves.
#include "contract/object_store_s3.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "backend/s3/s3_marks.h"
#include "backend/s3/s3_upload.h"
#include "base/hash.h"
#include "contract/object_store_contract.h"

namespace collect::backups::test {
namespace {

using collect::test::FakeS3;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::StartsWith;
using Fault = FakeS3::Fault;

constexpr const char* kKey = "org/NETH-1/a.tar.gz";
constexpr std::size_t kMiB = std::size_t{1024} * 1024;

Time now() {
  return SystemClock().now();
}

Result<void> try_put(ObjectStore& store, std::string_view bytes) {
  auto upload = store.begin(kKey, bytes.size());
  if (!upload) return upload.failure();
  if (auto written = (*upload)->write(bytes); !written) return written;
  return (*upload)->finish(metadata_of(bytes));
}

class S3Store : public testing::Test {
 protected:
  void expect_nothing_left(int number) {
    EXPECT_THAT(fake_.objects(), IsEmpty()) << "after a fault in request " << number;
    EXPECT_EQ(fake_.uploads(), 0U) << "after a fault in request " << number;
  }

  static s3::S3Options small_copies(s3::S3Options options) {
    options.most_copied = 10 * kMiB;
    options.copied_part = 5 * kMiB;
    return options;
  }

  // Every request of an upload in turn meets a fault that does not pass; only those about parts can be
  // `forgotten`.
  void expect_all_or_nothing(ObjectStore& store, const std::string& bytes, Fault fault) {
    for (int number = 1;; ++number) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)));
      bool met = false;
      bool hit = false;
      fake_.plan([&](int at, const std::string& call) {
        if (at != number) return Fault::none;
        met = true;
        hit = fault != Fault::forgotten || call.find("uploadId") != std::string::npos;
        return hit ? fault : Fault::none;
      });
      const auto done = try_put(store, bytes);
      fake_.plan({});
      if (done) {
        EXPECT_TRUE(get(store, kKey) == bytes);
        EXPECT_EQ(must(store.head(kKey)).metadata, metadata_of(bytes));
        must(store.remove(kKey));
      } else {
        EXPECT_EQ(done.failure().kind, FailureKind::unavailable) << "request " << number;
        EXPECT_THAT(done.failure().message,
                    HasSubstr(fault == Fault::forbidden ? "S3_ACCESS_KEY" : "upload"));
      }
      EXPECT_EQ(done.ok(), !hit) << "request " << number;
      if (!met) return;
      expect_nothing_left(number);
    }
  }

  FakeS3 fake_{two_keys_a_page()};
  s3::S3ObjectStore store_{s3_options_for(fake_)};
  s3::S3ObjectStore copying_in_parts_{small_copies(s3_options_for(fake_))};
  const std::string small_ = some_bytes(100'000);
  const std::string large_ = some_bytes(11 * kMiB);  // three parts
};

TEST_F(S3Store, NeedsOneRequestForASmallObject) {
  fake_.plan({});
  put(store_, kKey, small_);
  EXPECT_THAT(fake_.calls(), ElementsAre("PUT org/NETH-1/a.tar.gz"));
}

TEST_F(S3Store, NeedsFiveRequestsBesideThePartsForALargeObject) {
  fake_.plan({});
  put(store_, kKey, large_);
  const std::string part = std::string("PUT ") + kKey + "?partNumber&uploadId";
  EXPECT_THAT(
      fake_.calls(),
      ElementsAre(StartsWith("PUT .uploads/org/NETH-1/a.tar.gz/"), std::string("POST ") + kKey + "?uploads",
                  part, part, part, std::string("POST ") + kKey + "?uploadId",
                  std::string("PUT ") + kKey + " copy", StartsWith("DELETE .uploads/org/NETH-1/a.tar.gz/")));
}

TEST_F(S3Store, KeepsItsConnections) {
  for (int i = 0; i < 10; ++i) {
    put(store_, kKey, small_);
    must(store_.head(kKey));
    must(store_.list(""));
    must(store_.remove(kKey));
  }
  EXPECT_EQ(fake_.connections(), 1);
  for (int i = 0; i < 3; ++i) put(store_, kKey, large_);
  // Beside it one that begins each upload, and two for the other parts: the last is sent while two are on
  // their way.
  EXPECT_LE(fake_.connections(), 1 + 3 + 2);
}

TEST_F(S3Store, KeepsMetadataWhereTheContractSaysSo) {
  for (const std::string& bytes : {small_, large_}) {
    put(store_, kKey, bytes);
    EXPECT_THAT(fake_.headers_of(kKey),
                testing::UnorderedElementsAre(Pair("x-amz-meta-sha256", to_hex(sha256(bytes))),
                                              Pair("x-amz-meta-filename", "backup.tar.gz"),
                                              Pair("x-amz-meta-uploader-ip", "192.0.2.7"),
                                              Pair("content-type", "application/gzip")));
  }
}

TEST_F(S3Store, AsksForEncryption) {
  s3::S3Options options = s3_options_for(fake_);
  options.server_side_encryption = "AES256";
  s3::S3ObjectStore store(options);
  for (const std::string& bytes : {small_, large_}) {
    put(store, kKey, bytes);
    EXPECT_THAT(fake_.headers_of(kKey), Contains(Pair("x-amz-server-side-encryption", "AES256")));
  }
}

// Every request of an upload in turn meets `fault`, which passes; `late`: only those that answer 200 before
// they know.
void expect_outlasted(FakeS3& fake, ObjectStore& store, const std::string& bytes, Fault fault) {
  for (int number = 1;; ++number) {
    SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + " in request " +
                 std::to_string(number));
    bool met = false;
    fake.plan([&](int at, const std::string& call) {
      const bool late = call.ends_with(" copy") || call.starts_with("POST");
      const bool hit = at == number && (fault != Fault::error_in_200 || late);
      met = met || at == number;
      return hit ? fault : Fault::none;
    });
    const auto done = try_put(store, bytes);
    fake.plan({});
    ASSERT_TRUE(done) << done.failure().message;
    if (!met) return;
    EXPECT_TRUE(get(store, kKey) == bytes);
    EXPECT_EQ(must(store.head(kKey)).metadata, metadata_of(bytes));
    EXPECT_THAT(keys(store), ElementsAre(kKey));
    must(store.remove(kKey));
    EXPECT_THAT(fake.objects(), IsEmpty());
    EXPECT_EQ(fake.uploads(), 0U);
  }
}

TEST_F(S3Store, OutlastsPassingFaultsOfEveryRequest) {
  for (const Fault fault : {Fault::slow_down, Fault::internal, Fault::cut_before, Fault::cut_after,
                            Fault::cut_inside, Fault::error_in_200}) {
    expect_outlasted(fake_, store_, large_, fault);
    expect_outlasted(fake_, copying_in_parts_, large_, fault);
    must(store_.remove(kKey));
  }
}

TEST_F(S3Store, LeavesNothingWhicheverRequestFails) {
  for (const Fault fault : {Fault::forbidden, Fault::forgotten}) {
    expect_all_or_nothing(store_, small_, fault);
    expect_all_or_nothing(store_, large_, fault);
    expect_all_or_nothing(copying_in_parts_, large_, fault);
  }
}

TEST_F(S3Store, ASweepClearsWhatAVanishedStorageKept) {
  for (int number = 2; number <= 8; ++number) {
    fake_.plan([&](int at, const std::string&) { return at >= number ? Fault::forbidden : Fault::none; });
    ASSERT_FALSE(try_put(store_, large_)) << "request " << number;
    fake_.plan({});
    EXPECT_THAT(keys(store_), IsEmpty()) << "request " << number;
    EXPECT_EQ(must(store_.sweep(now())), 1U) << "request " << number;
    expect_nothing_left(number);
  }
}

// A child begins an upload of `large` and kills itself as soon as request `number` is on its way.
void die_while_uploading(FakeS3& fake, const std::string& large, int number) {
  std::atomic<pid_t> child = 0;
  fake.plan([&](int at, const std::string&) {
    if (at == number && child > 0) ::kill(child, SIGKILL);
    return Fault::none;
  });
  const pid_t forked = ::fork();
  ASSERT_GE(forked, 0);
  if (forked == 0) {
    // Wait until the parent knows our number.
    ::raise(SIGSTOP);
    s3::S3ObjectStore store(s3_options_for(fake));
    (void)try_put(store, large);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(forked, &status, WUNTRACED);
  child = forked;
  ::kill(forked, SIGCONT);
  ::waitpid(forked, &status, 0);
  ASSERT_TRUE(collect::test::eventually([&] { return fake.idle(); }));
  fake.plan({});
  ASSERT_TRUE(WIFSIGNALED(status)) << "request " << number;
}

TEST_F(S3Store, ASweepClearsWhatAKilledProcessLeft) {
  put(store_, "org/NETH-1/whole.bin", large_);
  auto alive = must(store_.begin("org/NETH-1/alive.bin", large_.size()));
  for (int number = 1; number <= 7; ++number) {
    die_while_uploading(fake_, large_, number);
    EXPECT_THAT(keys(store_), ElementsAre("org/NETH-1/whole.bin")) << "request " << number;
    EXPECT_LE(must(store_.sweep(now())), 1U) << "request " << number;
    EXPECT_THAT(fake_.objects(),
                ElementsAre(StartsWith(".uploads/org/NETH-1/alive.bin/"), "org/NETH-1/whole.bin"))
        << "request " << number;
    EXPECT_EQ(fake_.uploads(), 1U);
  }
  must(alive->write(large_));
  must(alive->finish(metadata_of(large_)));
  EXPECT_TRUE(get(store_, "org/NETH-1/alive.bin") == large_);
}

TEST_F(S3Store, ASweepTakesAnothersUploadForDeadAfterADay) {
  s3::S3ObjectStore other(s3_options_for(fake_));
  put(other, "org/a.bin", small_);
  const s3::S3Client client(s3_options_for(fake_));
  must(client.call({.method = "PUT", .key = s3::mark_key({"org/a.bin", "elsewhere:1-2-3:boot:upload-1"})}));
  EXPECT_THAT(keys(store_), IsEmpty());
  EXPECT_EQ(must(store_.sweep(now())), 0U);
  EXPECT_EQ(must(store_.sweep(now() + std::chrono::hours(25))), 1U);
  EXPECT_THAT(fake_.objects(), IsEmpty());
}

TEST_F(S3Store, GoesOnWithADownloadThatBreaksOff) {
  put(store_, kKey, large_);
  int gets = 0;
  fake_.plan([&](int, const std::string& call) {
    return call.starts_with("GET") && ++gets <= 3 ? Fault::cut_inside : Fault::none;
  });
  EXPECT_TRUE(get(store_, kKey) == large_);
  EXPECT_GE(gets, 4);
  fake_.plan(
      [&](int, const std::string& call) { return call.starts_with("GET") ? Fault::forbidden : Fault::none; });
  EXPECT_EQ(store_.open(kKey, {}).failure().kind, FailureKind::unavailable);
}

// Half of it could not be told from the whole, and none from an empty one.
TEST_F(S3Store, WhatDoesNotSayHowLongItIsIsNotTakenForWhole) {
  put(store_, kKey, "some bytes");
  fake_.plan([](int, const std::string&) { return Fault::no_length; });
  EXPECT_EQ(store_.open(kKey, {}).failure().kind, FailureKind::unavailable);
  EXPECT_EQ(store_.open(kKey, backups::ByteRange{2, 3}).failure().kind, FailureKind::unavailable);
  EXPECT_EQ(store_.head(kKey).failure().kind, FailureKind::unavailable);
}

TEST_F(S3Store, ADownloadNeverMixesTwoVersions) {
  put(store_, kKey, large_);
  const auto download = must(store_.open(kKey, {}));
  std::vector<char> chunk(1000);
  ASSERT_EQ(must(download->read(chunk)), 1000U);
  fake_.plan([&](int, const std::string&) { return Fault::none; });
  const std::string other = some_bytes(11 * kMiB + 1);
  put(store_, kKey, other);
  const auto rest = read_all(*download);
  if (rest) {
    EXPECT_TRUE(*rest == large_.substr(1000));
  } else {
    EXPECT_EQ(rest.failure().kind, FailureKind::unavailable);
  }
}

TEST_F(S3Store, SaysWhatIsWrongWithTheSettings) {
  const auto message = [&](const auto& change) {
    s3::S3Options options = s3_options_for(fake_);
    change(options);
    s3::S3ObjectStore store(options);
    const auto listed = store.list("");
    EXPECT_FALSE(listed);
    EXPECT_EQ(listed.failure().kind, FailureKind::unavailable);
    EXPECT_THAT(listed.failure().message,
                AllOf(HasSubstr(options.bucket), Not(HasSubstr(options.credentials.secret_key)),
                      Not(HasSubstr(options.credentials.access_key))));
    return listed.failure().message;
  };
  EXPECT_THAT(message([](auto& options) { options.credentials.secret_key += "x"; }),
              AllOf(HasSubstr("SignatureDoesNotMatch"), HasSubstr("S3_SECRET_KEY")));
  EXPECT_THAT(message([](auto& options) { options.credentials.access_key = "OTHER"; }),
              HasSubstr("S3_ACCESS_KEY"));
  EXPECT_THAT(message([](auto& options) { options.credentials.region = "us-west-9"; }),
              HasSubstr("BACKUP_S3_REGION"));
  EXPECT_THAT(message([](auto& options) { options.bucket = "nobody-made-it"; }),
              HasSubstr("BACKUP_S3_BUCKET"));
}

TEST_F(S3Store, AnswersThatNobodyListensAreUnavailable) {
  s3::S3Options options = s3_options_for(fake_);
  options.host = "127.0.0.1:" + std::to_string(collect::test::free_port());
  s3::S3ObjectStore store(options);
  EXPECT_EQ(store.head(kKey).failure().kind, FailureKind::unavailable);
}

TEST(S3Parts, TenThousandOfThemAreEnough) {
  EXPECT_EQ(s3::part_size_for(1, 8 * kMiB), 8 * kMiB);
  EXPECT_EQ(s3::part_size_for(80'000 * kMiB, 8 * kMiB), 8 * kMiB);
  const std::uint64_t most = std::uint64_t{1024} << 30U;  // what BACKUP_MAX_UPLOAD_SIZE allows at most
  EXPECT_LE((most + s3::part_size_for(most, 8 * kMiB) - 1) / s3::part_size_for(most, 8 * kMiB), 10'000U);
}

}  // namespace
}  // namespace collect::backups::test
