// SPDX-License-Identifier: Apache-2.0
// Backups in an S3 that fails or is away: what the appliance hears, and what stays.
#include <gmock/gmock.h>

#include <atomic>
#include <future>

#include "base/hash.h"
#include "journey/appliance.h"
#include "journey/backup_place.h"
#include "support/fake_s3.h"
#include "support/s3rver.h"
#include "support/tcp_proxy.h"

namespace collect::test {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Gt;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr const char* kPath = "/api/systems/backups";
constexpr std::size_t kLarge = std::size_t{15} << 20U;  // three parts

std::string noise(std::size_t size) {
  std::string out(size, '\0');
  std::uint64_t state = 1;
  for (char& c : out) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    c = static_cast<char>(state >> 56U);
  }
  return out;
}

// Room for one backup and a little more, so that lost room shows.
Environment room_for_one(Environment settings) {
  settings["BACKUP_RATE_LIMIT_PER_MINUTE"] = "0";
  settings["BACKUP_RATE_LIMIT_PER_HOUR"] = "0";
  settings["BACKUP_MAX_SIZE_PER_ORG"] = std::to_string(kLarge + kLarge / 10);
  return settings;
}

void expect_try_again(const HttpResponse& answer) {
  EXPECT_EQ(answer.status, 503) << answer.body;
  EXPECT_THAT(std::stoi("0" + answer.header("Retry-After")), Gt(0));
  EXPECT_THAT(answer.body, Not(HasSubstr("127.0.0.1")));
}

void remove_all(Appliance& box) {
  for (const std::string& id : backup_ids(box))
    EXPECT_EQ(box.http().request("DELETE", std::string(kPath) + "/" + id).status, 200);
}

// A refusal that will not pass, and one request after the other that meets it.
TEST(BackupsInABrokenS3, AreWholeOrNotThereWhicheverRequestFails) {
  FakeS3 storage;
  RunningService service(EngineKind::embedded, room_for_one(settings_for(storage)));
  Appliance box(service, service.new_system());
  const std::string content = noise(kLarge);
  int refused = 0;
  for (int number = 1;; ++number) {
    SCOPED_TRACE("request " + std::to_string(number));
    std::atomic<bool> met = false;
    storage.plan([&](int at, const std::string&) {
      met = met || at == number;
      return at == number ? FakeS3::Fault::forbidden : FakeS3::Fault::none;
    });
    const auto answer = box.http().post(kPath, content);
    storage.plan({});
    ASSERT_THAT(answer.status, AnyOf(201, 503)) << answer.body;
    if (answer.status == 503) {
      ++refused;
      expect_try_again(answer);
      EXPECT_THAT(storage.objects(), IsEmpty());
    } else {
      EXPECT_THAT(storage.objects(), SizeIs(1));
      EXPECT_EQ(backup_ids(box), std::vector{text_of(*parsed(answer.body).root().find("data"), "id")});
      remove_all(box);
    }
    EXPECT_EQ(storage.uploads(), 0U);
    if (!met) break;
  }
  EXPECT_THAT(refused, Gt(5));
  EXPECT_THAT(service.log(), Not(HasSubstr(storage.options().credentials.secret_key)));
  EXPECT_THAT(service.log(), HasSubstr("S3_ACCESS_KEY"));
}

// What a request meets: a refusal that will not pass; a connection that ends after what was asked is done,
// now and at each repetition; or either from there on, so that nothing can be cleared away.
struct Trouble {
  const char* name;
  FakeS3::Fault fault;
  bool goes_on;
};
class RequestsThatFail : public testing::TestWithParam<Trouble> {
 protected:
  // Calls it with its number-th request, and with all after it if that is the case, in trouble. False when it
  // has fewer.
  template <class Action>
  bool meets_trouble(int number, Action action) {
    std::atomic<bool> met = false;
    storage_.plan([&](int at, const std::string&) {
      if (at < number || (at > number && !GetParam().goes_on)) return FakeS3::Fault::none;
      met = true;
      return GetParam().fault;
    });
    action();
    storage_.plan({});
    return met;
  }
  std::vector<std::string> contents() { return backup_contents(box_); }

  FakeS3 storage_;
  RunningService service_{EngineKind::embedded, [this] {
                            Environment settings = room_for_one(settings_for(storage_));
                            settings["BACKUP_MAX_PER_SYSTEM"] = "1";
                            settings["BACKUP_MAX_SIZE_PER_ORG"] = "3500";
                            return settings;
                          }()};
  Appliance box_{service_, service_.new_system()};
};
INSTANTIATE_TEST_SUITE_P(BackupsInABrokenS3, RequestsThatFail,
                         testing::Values(Trouble{"Refused", FakeS3::Fault::forbidden, false},
                                         Trouble{"RefusedFromThereOn", FakeS3::Fault::forbidden, true},
                                         Trouble{"CutAfter", FakeS3::Fault::cut_after, false},
                                         Trouble{"CutAfterFromThereOn", FakeS3::Fault::cut_after, true}),
                         [](const auto& tried) { return tried.param.name; });

// One backup is kept, so that each upload removes the one before. Whatever fails, the last one that was
// answered 201 is there.
TEST_P(RequestsThatFail, OfAnUploadThatPrunesCostNoBackup) {
  std::string kept = noise(1000);
  ASSERT_EQ(box_.http().post(kPath, kept).status, 201);
  for (int number = 1;; ++number) {
    SCOPED_TRACE("request " + std::to_string(number));
    const std::string before = kept;
    const std::string content = std::to_string(number) + noise(1000);
    HttpResponse answer;
    const bool met = meets_trouble(number, [&] { answer = box_.http().post(kPath, content); });
    ASSERT_THAT(answer.status, AnyOf(201, 503)) << answer.body;
    if (answer.status == 201) kept = content;
    const auto stored = contents();
    EXPECT_THAT(stored, Contains(kept));
    EXPECT_THAT(stored, Each(AnyOf(kept, content, before)));
    kept = "after " + content;
    const auto next = box_.http().post(kPath, kept);
    ASSERT_EQ(next.status, 201) << "room was lost: " << next.body;
    EXPECT_THAT(contents(), ElementsAre(kept));
    if (!met) break;
  }
}

TEST_P(RequestsThatFail, OfADeletionLeaveItWholeOrGone) {
  const std::string content = noise(1000);
  for (int number = 1;; ++number) {
    SCOPED_TRACE("request " + std::to_string(number));
    ASSERT_EQ(box_.http().post(kPath, content).status, 201) << "room was lost";
    const std::string path = std::string(kPath) + "/" + backup_ids(box_).at(0);
    HttpResponse answer;
    const bool met = meets_trouble(number, [&] { answer = box_.http().request("DELETE", path); });
    ASSERT_THAT(answer.status, AnyOf(200, 503)) << answer.body;
    if (answer.status == 503) {
      expect_try_again(answer);
      EXPECT_THAT(contents(), AnyOf(IsEmpty(), ElementsAre(content)));
      EXPECT_THAT(box_.http().request("DELETE", path).status, AnyOf(200, 404));
    }
    EXPECT_THAT(storage_.objects(), IsEmpty());
    EXPECT_EQ(box_.http().get(path).status, 404);
    if (!met) break;
  }
}

// What is swallowed is repeated after half a minute, and comes a second time when the hole lets go of it.
TEST(BackupsInABrokenS3, OutlastABlackHoleAndNothingElseWaits) {
  FakeS3 storage;
  TcpProxy wire(storage.port());
  Environment settings = room_for_one(settings_for(storage));
  settings["S3_ENDPOINT"] = "http://localhost:" + std::to_string(wire.port());
  settings["BACKUP_MAX_SIZE_PER_ORG"] = "0";
  RunningService service(EngineKind::embedded, settings);
  Appliance box(service, service.new_system());
  ASSERT_EQ(box.http().post(kPath, "before").status, 201);
  wire.become(TcpProxy::Mood::swallows);
  std::vector<std::future<HttpResponse>> answers;
  for (const std::size_t size : {std::size_t{1000}, kLarge}) {
    answers.push_back(std::async(std::launch::async, [&box, &service, size] {
      HttpClient client(service.port(), std::chrono::minutes(3));
      client.basic_auth(box.login().key, box.login().secret);
      return client.post(kPath, noise(size));
    }));
  }
  const auto half_a_minute_later = std::chrono::steady_clock::now() + std::chrono::seconds(35);
  for (int i = 0; std::chrono::steady_clock::now() < half_a_minute_later; ++i) {
    box.report(labelled_inventory("beside the hole " + std::to_string(i)));
    sleep_for(milliseconds(200));
  }
  wire.become(TcpProxy::Mood::passes);
  for (auto& answer : answers) EXPECT_EQ(answer.get().status, 201);
  std::vector<std::size_t> sizes;
  for (const std::string& content : backup_contents(box)) sizes.push_back(content.size());
  EXPECT_THAT(sizes, UnorderedElementsAre(6, 1000, kLarge));
  EXPECT_TRUE(eventually([&] { return storage.objects().size() == 3 && storage.uploads() == 0; }))
      << storage.objects().size() << " objects, " << storage.uploads() << " uploads";
}

TEST(BackupsInABrokenS3, LeaveNothingWhenItVanishesInTheMiddle) {
  S3rver storage;
  RunningService service(EngineKind::embedded, room_for_one(settings_for(storage)));
  Appliance box(service, service.new_system());
  const std::string content = noise(kLarge);
  HttpClient client(service.port());
  client.basic_auth(box.login().key, box.login().secret);
  client.send("POST /api/systems/backups HTTP/1.1\r\nHost: h\r\nAuthorization: Basic " +
              to_base64(box.login().key + ":" + box.login().secret) +
              "\r\nContent-Length: " + std::to_string(kLarge) + "\r\n\r\n" + content.substr(0, kLarge / 2));
  ASSERT_TRUE(eventually([&] { return !storage.objects().empty(); })) << "no mark";
  storage.kill_hard();
  client.send(content.substr(kLarge / 2));
  expect_try_again(client.receive());
  expect_try_again(box.http().get(kPath));
  storage.start();
  EXPECT_THAT(backup_ids(box), IsEmpty());
  EXPECT_EQ(box.http().post(kPath, content).status, 201) << "room was lost";
  remove_all(box);
  // What could not be cleared away then is when the next one starts.
  EXPECT_EQ(service.stop(), 0);
  service.start();
  EXPECT_TRUE(eventually([&] { return storage.objects().empty(); }));
}

TEST(BackupsInABrokenS3, AreNotTakenForWholeWhenItVanishesWhileTheyAreFetched) {
  S3rver storage;
  Environment settings = settings_for(storage);
  settings["BACKUP_MAX_SIZE_PER_ORG"] = "0";
  RunningService service(EngineKind::embedded, settings);
  Appliance box(service, service.new_system());
  const std::string content = noise(8 * kLarge);  // more than all buffers on the way
  const auto answer = box.http().post(kPath, content);
  ASSERT_EQ(answer.status, 201) << answer.body;
  const std::string path = std::string(kPath) + "/" + backup_ids(box).at(0);
  HttpClient client(service.port());
  client.send("GET " + path + " HTTP/1.1\r\nHost: h\r\nAuthorization: Basic " +
              to_base64(box.login().key + ":" + box.login().secret) + "\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return service.metric("collect_http_sent_bytes_total") > 1'000'000; }));
  storage.kill_hard();
  EXPECT_THROW(client.receive(), std::runtime_error);
  storage.start();
  EXPECT_TRUE(box.http().get(path).body == content);
}

TEST(BackupsInABrokenS3, StopNothingElseWhenItIsAway) {
  RunningService service(EngineKind::embedded,
                         {{"S3_ENDPOINT", "http://127.0.0.1:" + std::to_string(free_port())},
                          {"S3_ACCESS_KEY", "key"},
                          {"S3_SECRET_KEY", "a-secret-of-ours"},
                          {"BACKUP_S3_BUCKET", "backups"},
                          {"BACKUP_S3_USE_PATH_STYLE", "true"}});
  // The banner may come a moment after the first answer.
  EXPECT_TRUE(eventually(
      [&] { return service.banner().find("bucket backups at http://127.0.0.1:") != std::string::npos; }));
  Appliance box(service, service.new_system());
  expect_try_again(box.http().post(kPath, "bytes"));
  expect_try_again(box.http().get(kPath));
  box.report(labelled_inventory("fine"));
  EXPECT_THAT(service.log() + service.banner(), Not(HasSubstr("a-secret-of-ours")));
}

}  // namespace
}  // namespace collect::test
