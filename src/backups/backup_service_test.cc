// SPDX-License-Identifier: Apache-2.0
#include "backups/backup_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "backups/fake_ledger.h"
#include "backups/memory_object_store.h"
#include "base/hash.h"

namespace collect::backups {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// A body in pieces; what happens before each of them is up to the test.
class Body final : public net::ByteSource {
 public:
  explicit Body(std::string text) : text_(std::move(text)) {}
  Result<std::size_t> read(std::span<char> into) override {
    if (before_piece) before_piece(at_);
    if (fails_at && at_ >= *fails_at) return invalid("the connection ended");
    const std::size_t size = text_.copy(into.data(), std::min<std::size_t>(into.size(), 1000), at_);
    at_ += size;
    return size;
  }
  std::function<void(std::size_t at)> before_piece;
  std::optional<std::size_t> fails_at;

 private:
  const std::string text_;
  std::size_t at_ = 0;
};

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() { make({{3, 1'000'000}, 0}); }
  void make(BackupService::Options options) {
    options.turn_patience = 5s;
    options.turn_poll = 1ms;
    service_ = std::make_unique<BackupService>(objects_, ledger_, clock_, options);
  }
  static Owner owner(const std::string& name, const std::string& organization = "org-1") {
    return {OrganizationId(organization), SystemId("id-" + name), "NETH-" + name};
  }
  Result<Uploaded> upload(const Owner& whose, std::size_t size, const std::string& filename = "dump.tar.gz") {
    clock_.advance(1s);
    Body body(std::string(size, 'x'));
    return service_->upload(whose, {filename, "application/gzip", "192.0.2.1", size}, body);
  }
  bool stored(const Owner& whose, std::size_t size) {
    const auto done = upload(whose, size);
    return done.ok() && std::holds_alternative<Backup>(*done);
  }
  std::vector<std::uint64_t> sizes(const Owner& whose) {
    std::vector<std::uint64_t> out;
    for (const Backup& backup : service_->list(whose).value()) out.push_back(backup.size);
    return out;
  }

  ManualClock clock_{Time(std::chrono::seconds(1'767'323'045))};
  MemoryObjectStore objects_{clock_};
  FakeLedger ledger_;
  std::unique_ptr<BackupService> service_;
};

TEST_F(ServiceTest, KeepsWhatWasSent) {
  const auto done = upload(owner("a"), 5000, "../my dump.tar.gz");
  ASSERT_TRUE(done.ok());
  const Backup backup = std::get<Backup>(*done);
  EXPECT_EQ(backup.filename, "my_dump.tar.gz");
  EXPECT_EQ(backup.size, 5000U);
  EXPECT_EQ(backup.sha256, to_hex(sha256(std::string(5000, 'x'))));
  EXPECT_EQ(backup.mimetype, "application/gzip");
  EXPECT_EQ(backup.id.uploaded_at(), clock_.now());

  const auto info = objects_.head("org-1/NETH-a/" + backup.id.text());
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->metadata,
            (ObjectMetadata{backup.sha256, "my_dump.tar.gz", "192.0.2.1", "application/gzip"}));
  const auto found = service_->find(owner("a"), backup.id);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->sha256, backup.sha256);
  // Another system's, or the same key in another organization: not there.
  for (const Owner& other : {owner("b"), owner("a", "org-2")}) {
    EXPECT_EQ(service_->find(other, backup.id).failure().kind, FailureKind::not_found);
    EXPECT_EQ(service_->open(other, backup.id, std::nullopt).failure().kind, FailureKind::not_found);
    EXPECT_EQ(service_->remove(other, backup.id).failure().kind, FailureKind::not_found);
    EXPECT_THAT(sizes(other), IsEmpty());
  }
  EXPECT_TRUE(service_->remove(owner("a"), backup.id).ok());
  EXPECT_THAT(sizes(owner("a")), IsEmpty());
  EXPECT_EQ(service_->remove(owner("a"), backup.id).failure().kind, FailureKind::not_found);
  EXPECT_THAT(ledger_.rows, IsEmpty());
}

TEST_F(ServiceTest, NamesWhatHasNoName) {
  const Backup backup = std::get<Backup>(upload(owner("a"), 1, "..").value());
  EXPECT_EQ(backup.filename, "backup-" + std::string(backup.id.uuid()));
  EXPECT_TRUE(backup.id.text().ends_with(".bin"));
}

TEST_F(ServiceTest, ListsTheNewestFirstAndPrunesTheOldest) {
  for (const std::size_t size : {1, 2, 3, 4, 5}) EXPECT_TRUE(stored(owner("a"), size));
  EXPECT_TRUE(stored(owner("b"), 9));
  EXPECT_THAT(sizes(owner("a")), ElementsAre(5, 4, 3));
  EXPECT_THAT(sizes(owner("b")), ElementsAre(9));
  EXPECT_EQ(service_->counters().pruned, 2U);
  make({{10, 10}, 0});
  EXPECT_TRUE(stored(owner("a"), 5));
  EXPECT_THAT(sizes(owner("a")), ElementsAre(5, 5));
  EXPECT_TRUE(stored(owner("a"), 5000));
  EXPECT_THAT(sizes(owner("a")), ElementsAre(5000));
}

TEST_F(ServiceTest, RefusesWhatTheQuotaHasNoRoomFor) {
  make({{3, 1'000'000}, 1000});
  EXPECT_TRUE(stored(owner("a"), 600));
  const auto refused = upload(owner("b"), 401);
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ(std::get<OverQuota>(*refused).limit, 1000U);
  EXPECT_EQ(std::get<OverQuota>(*refused).used, 600U);
  EXPECT_TRUE(stored(owner("b"), 400));
  EXPECT_TRUE(stored(owner("c", "org-2"), 1000));
  EXPECT_FALSE(stored(owner("d", "org-3"), 1001));
  // Room that became free is free at once.
  const auto backups = service_->list(owner("b")).value();
  EXPECT_TRUE(service_->remove(owner("b"), backups.front().id).ok());
  EXPECT_TRUE(stored(owner("b"), 400));
  EXPECT_FALSE(stored(owner("b"), 1));
}

TEST_F(ServiceTest, AsksForNothingBeforeThereIsRoom) {
  make({{3, 1'000'000}, 1000});
  Body body(std::string(2000, 'x'));
  body.before_piece = [](std::size_t) { ADD_FAILURE() << "read"; };
  EXPECT_TRUE(std::holds_alternative<OverQuota>(
      service_->upload(owner("a"), {"", "", "192.0.2.1", 2000}, body).value()));
  objects_.fail_with(unavailable("the storage is away"));
  EXPECT_EQ(service_->upload(owner("a"), {"", "", "192.0.2.1", 10}, body).failure().kind,
            FailureKind::unavailable);
  objects_.fail_with(std::nullopt);
  ledger_.failure = unavailable("the database is away");
  EXPECT_EQ(service_->upload(owner("a"), {"", "", "192.0.2.1", 10}, body).failure().kind,
            FailureKind::unavailable);
}

TEST_F(ServiceTest, LeavesNothingOfWhatBroke) {
  make({{3, 1'000'000}, 10'000});
  for (const std::size_t at : {0, 1000, 4000}) {
    Body cut(std::string(5000, 'x'));
    cut.fails_at = at;
    EXPECT_EQ(service_->upload(owner("a"), {"", "", "192.0.2.1", 5000}, cut).failure().kind,
              FailureKind::invalid);
    Body storage(std::string(5000, 'x'));
    storage.before_piece = [&](std::size_t now) {
      if (now >= at) objects_.fail_with(unavailable("the storage is away"));
    };
    EXPECT_EQ(service_->upload(owner("a"), {"", "", "192.0.2.1", 5000}, storage).failure().kind,
              FailureKind::unavailable);
    objects_.fail_with(std::nullopt);
  }
  Body shorter(std::string(4000, 'x'));
  EXPECT_EQ(service_->upload(owner("a"), {"", "", "192.0.2.1", 5000}, shorter).failure().kind,
            FailureKind::invalid);
  EXPECT_THAT(sizes(owner("a")), IsEmpty());
  EXPECT_THAT(ledger_.rows, IsEmpty());
  EXPECT_EQ(service_->counters().failed, 7U);
  EXPECT_EQ(service_->counters().under_way, 0U);
  EXPECT_TRUE(stored(owner("a"), 10'000));
}

// The bytes are there, and may be the last ones: a database that went away meanwhile takes none of them.
TEST_F(ServiceTest, KeepsAnUploadWhenTheDatabaseGoesAway) {
  EXPECT_TRUE(stored(owner("a"), 1));
  Body body(std::string(5000, 'x'));
  body.before_piece = [&](std::size_t at) {
    if (at > 0) ledger_.failure = unavailable("the database is away");
  };
  EXPECT_TRUE(service_->upload(owner("a"), {"", "", "192.0.2.1", 5000}, body).ok());
  EXPECT_THAT(sizes(owner("a")), SizeIs(2));
}

TEST_F(ServiceTest, RenewsWhatIsUnderWay) {
  Body body(std::string(5000, 'x'));
  body.before_piece = [&](std::size_t) {
    clock_.advance(50s);
    service_->renew();
    ASSERT_THAT(ledger_.rows, SizeIs(1));
    EXPECT_EQ(ledger_.rows.begin()->second.until, clock_.now() + 60s);
  };
  EXPECT_TRUE(service_->upload(owner("a"), {"", "", "192.0.2.1", 5000}, body).ok());
  EXPECT_EQ(
      ledger_.expected.at(SystemId("id-a")).expected_by - ledger_.expected.at(SystemId("id-a")).last_backup,
      192h);
}

TEST_F(ServiceTest, ManyUploadsAtOnceKeepTheQuotaExact) {
  make({{100, 1'000'000}, 7'500});
  std::atomic<int> kept{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&, i] {
      Body body(std::string(1000, 'x'));
      body.before_piece = [](std::size_t) { std::this_thread::sleep_for(5ms); };
      const auto done = service_->upload(owner(std::to_string(i)), {"", "", "192.0.2.1", 1000}, body);
      ASSERT_TRUE(done.ok());
      ++(std::holds_alternative<Backup>(*done) ? kept : refused);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(kept, 7);
  EXPECT_EQ(refused, 13);
}

TEST_F(ServiceTest, UploadsOfOneSystemAtOnceKeepTheRetentionExact) {
  make({{2, 1'000'000}, 0});
  for (int round = 0; round < 20; ++round) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { EXPECT_TRUE(stored(owner("a"), 10)); });
    for (std::thread& thread : threads) thread.join();
    EXPECT_THAT(sizes(owner("a")), SizeIs(2));
  }
}

}  // namespace
}  // namespace collect::backups
