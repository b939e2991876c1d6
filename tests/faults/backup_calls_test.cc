// SPDX-License-Identifier: Apache-2.0
// While a backup comes, or goes, each request to PostgreSQL in its turn loses its connection; on the embedded
// engine, each call that uses the database's files or the backups' fails. Or it is the process's last one
// (kill -9). (Each request to an S3: RequestsThatFail in backups_storage_test.)
#include <gmock/gmock.h>
#include <signal.h>

#include <functional>
#include <iostream>
#include <optional>
#include <stdexcept>

#include "base/clock.h"
#include "faults/failing_disk.h"
#include "faults/trial.h"

namespace collect::test {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using Moment = TcpProxy::Moment;

struct Case {
  const char* name;
  EngineKind engine;
  Moment moment = Moment::before_request;                 // of the requests to PostgreSQL
  std::int32_t kinds = FailingCalls::kWrites;             // of the calls on the embedded engine
  FailingDisk::Fault fault = FailingDisk::Fault::broken;  // at them; of a request, a cut or what kills
};

// One backup is kept: each upload removes the one before.
class EveryCallOfABackup : public testing::TestWithParam<Case> {
 protected:
  // `room` in bytes for all backups together: too little for one more shows that some was lost.
  void begin(int room) {
    Environment settings = {{"BACKUP_MAX_PER_SYSTEM", "1"},
                            {"BACKUP_MAX_SIZE_PER_ORG", std::to_string(room)},
                            {"BACKUP_RATE_LIMIT_PER_MINUTE", "0"},
                            {"BACKUP_RATE_LIMIT_PER_HOUR", "0"}};
    if (GetParam().engine == EngineKind::embedded) settings.merge(disk_.environment());
    trial_.emplace(GetParam().engine, TrialOptions{.systems = 1, .settings = settings});
    trial_->begin();
    box_.emplace(trial_->service(), trial_->service().new_system());
  }

  void fail_at(std::uint64_t nth) {
    if (GetParam().engine == EngineKind::servers) {
      const pid_t victim = trial_->service().pid();
      const bool kills = GetParam().fault == FailingDisk::Fault::kills;
      trial_->postgres_wire().set({.moment = GetParam().moment, .nth = nth, .act = [=] {
                                     if (kills) kill(victim, SIGKILL);
                                   }});
    } else {
      disk_.set(trial_->service().folder() / "data", GetParam().fault, static_cast<std::int64_t>(nth), false,
                GetParam().kinds);
    }
  }
  // True when it came to that.
  bool failed() {
    return GetParam().engine == EngineKind::servers ? trial_->postgres_wire().unset() : disk_.unset();
  }
  HttpResponse upload(const std::string& content) { return box_->http().post(kPath, content); }
  // Uploads it where there is none. Its id.
  std::string the_only_one(const std::string& content) {
    const auto answer = upload(content);
    const auto ids = backup_ids(*box_);
    if (answer.status != 201 || ids.size() != 1)
      throw std::runtime_error("expected one backup after 201: " + answer.body);
    return ids.front();
  }
  HttpResponse remove(const std::string& id) {
    return box_->http().request("DELETE", std::string(kPath) + "/" + id);
  }
  std::vector<std::string> contents() { return backup_contents(*box_); }
  static std::string content(std::uint64_t number) { return std::to_string(number) + std::string(1000, '.'); }

  static constexpr const char* kPath = "/api/systems/backups";
  FailingDisk disk_;
  std::optional<Trial> trial_;
  std::optional<Appliance> box_;
};

// The process is gone at one call after the other.
class LastCallOfABackup : public EveryCallOfABackup {
 protected:
  // None where the process died before it answered.
  std::optional<int> status_of(const std::function<HttpResponse()>& request) {
    try {
      return request().status;
    } catch (const std::runtime_error&) {
      return std::nullopt;
    }
  }
  void start_again() {
    Service& service = trial_->service();
    service.kill_hard();
    service.start();
    const Login login = box_->login();
    box_.emplace(service, login);
  }
  int reserved_beyond(const std::string& which, int seconds) {
    const Time end = SystemClock().now() + std::chrono::seconds(seconds);
    return std::stoi(trial_->service().sql("SELECT count(*) FROM backup_reservations WHERE " + which +
                                           " AND lasts_until > '" + to_rfc3339(end) + "'"));
  }
  // As if six minutes had passed. Another process might still be at the upload, whose turn and room are free
  // a minute after it; the room of a new backup that was pruned counts for five.
  void let_reservations_lapse() {
    EXPECT_EQ(reserved_beyond("state <> 'settled'", 61) + reserved_beyond("state = 'settled'", 301), 0);
    trial_->service().sql("UPDATE backup_reservations SET lasts_until = '2000-01-01T00:00:00.000000Z'");
  }
  // Of one backup there are as many as there were in the beginning.
  std::size_t files() { return files_below(trial_->service().folder() / "data" / "backups").size(); }
};

TEST_P(LastCallOfABackup, CostsNoBackupAndNoRoom) {
  begin(3500);
  std::string kept = content(0);
  ASSERT_EQ(upload(kept).status, 201);
  const std::size_t files_of_one = files();
  int kills = 0;
  for (std::uint64_t n = 1; !HasFailure(); ++n) {
    SCOPED_TRACE("call " + std::to_string(n));
    const std::string comes = content(2 * n);
    fail_at(n);
    const auto status = status_of([&] { return upload(comes); });
    if (!failed()) {
      EXPECT_EQ(status, 201);
      break;
    }
    start_again();
    let_reservations_lapse();
    ++kills;
    const auto stored = contents();
    EXPECT_THAT(stored, Contains(AnyOf(status == 201 ? comes : kept, comes)));
    EXPECT_THAT(stored, Each(AnyOf(kept, comes)));
    kept = content(2 * n + 1);
    const auto next = upload(kept);
    EXPECT_EQ(next.status, 201) << next.body;
    EXPECT_THAT(contents(), ElementsAre(kept));
    EXPECT_TRUE(eventually([&] { return files() == files_of_one; }))
        << files() << " files, not " << files_of_one;
  }
  std::cout << kills << " kills\n";
  EXPECT_GT(kills, 2);
}

TEST_P(LastCallOfABackup, ThatGoesLeavesItWholeOrGone) {
  begin(1500);
  int kills = 0;
  for (std::uint64_t n = 1; !HasFailure(); ++n) {
    SCOPED_TRACE("call " + std::to_string(n));
    const std::string kept = content(n);
    const std::string id = the_only_one(kept);
    fail_at(n);
    const auto status = status_of([&] { return remove(id); });
    if (!failed()) {
      EXPECT_EQ(status, 200);
      break;
    }
    start_again();
    ++kills;
    const auto stored = contents();
    EXPECT_THAT(stored, AnyOf(IsEmpty(), ElementsAre(kept)));
    if (status) {
      EXPECT_THAT(stored, IsEmpty());
    }
    EXPECT_EQ(remove(id).status, stored.empty() ? 404 : 200);
    EXPECT_TRUE(eventually([&] { return files() == 0; })) << files() << " files";
  }
  std::cout << kills << " kills\n";
  EXPECT_GT(kills, 0);
}

INSTANTIATE_TEST_SUITE_P(
    , LastCallOfABackup,
    testing::Values(
        Case{"BeforePostgresHears",
             EngineKind::servers,
             Moment::before_request,
             {},
             FailingDisk::Fault::kills},
        Case{"AfterPostgresAnswered",
             EngineKind::servers,
             Moment::after_answer,
             {},
             FailingDisk::Fault::kills},
        Case{"Write", EngineKind::embedded, {}, FailingCalls::kWrites, FailingDisk::Fault::kills},
        Case{"HalfOfAWrite",
             EngineKind::embedded,
             {},
             FailingCalls::kWrites,
             FailingDisk::Fault::tears_and_kills},
        Case{"NoWrite", EngineKind::embedded, {}, FailingCalls::kAllButWrites, FailingDisk::Fault::kills}),
    [](const auto& each) { return each.param.name; });

// What could not be removed goes with the next one: three have room.
TEST_P(EveryCallOfABackup, MayFailAndNoBackupAndNoRoomIsLost) {
  begin(3500);
  std::string kept = content(0);
  ASSERT_EQ(upload(kept).status, 201);
  int faults = 0;
  for (std::uint64_t n = 1; !HasFailure(); ++n) {
    SCOPED_TRACE("call " + std::to_string(n));
    fail_at(n);
    const std::string before = kept;
    const auto answer = upload(content(2 * n));
    const bool met = failed();
    ASSERT_THAT(answer.status, AnyOf(201, 503)) << answer.body;
    if (answer.status == 201) kept = content(2 * n);
    const auto stored = contents();
    EXPECT_THAT(stored, Contains(kept));
    EXPECT_THAT(stored, Each(AnyOf(before, content(2 * n))));
    kept = content(2 * n + 1);
    const auto next = upload(kept);
    EXPECT_EQ(next.status, 201) << next.body;
    EXPECT_THAT(contents(), ElementsAre(kept));
    if (!met) break;
    ++faults;
  }
  std::cout << faults << " faults\n";
  EXPECT_GT(faults, 2);
}

TEST_P(EveryCallOfABackup, ThatGoesMayFailAndItIsWholeOrGone) {
  begin(1500);
  int faults = 0;
  for (std::uint64_t n = 1; !HasFailure(); ++n) {
    SCOPED_TRACE("call " + std::to_string(n));
    const std::string kept = content(n);
    const std::string id = the_only_one(kept);
    fail_at(n);
    const auto answer = remove(id);
    const bool met = failed();
    ASSERT_THAT(answer.status, AnyOf(200, 503)) << answer.body;
    const auto stored = contents();
    if (answer.status == 200) {
      EXPECT_THAT(stored, IsEmpty());
    } else {
      EXPECT_THAT(stored, AnyOf(IsEmpty(), ElementsAre(kept)));
    }
    EXPECT_EQ(remove(id).status, stored.empty() ? 404 : 200);
    EXPECT_THAT(contents(), IsEmpty());
    if (!met) break;
    ++faults;
  }
  std::cout << faults << " faults\n";
  EXPECT_GT(faults, 0);
}

INSTANTIATE_TEST_SUITE_P(
    , EveryCallOfABackup,
    testing::Values(
        Case{"CutBeforePostgresHears", EngineKind::servers, Moment::before_request},
        Case{"CutAfterPostgresAnswered", EngineKind::servers, Moment::after_answer},
        Case{"DiskBroken", EngineKind::embedded},
        Case{"DiskFull", EngineKind::embedded, {}, FailingCalls::kWrites, FailingDisk::Fault::full},
        Case{
            "DiskUnreadable", EngineKind::embedded, {}, FailingCalls::kAllButWrites & ~FailingCalls::kLocks}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace collect::test
