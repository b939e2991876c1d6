// SPDX-License-Identifier: Apache-2.0
// `collect doctor` beside real servers, well and unwell.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "journey/backup_place.h"
#include "journey/service.h"
#include "support/alertmanager_server.h"
#include "support/certificate.h"
#include "support/fake_s3.h"

namespace collect::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// With fsync and the like, as a server is by itself.
std::map<std::string, std::string> as_delivered() {
  return {{"fsync", "on"}, {"full_page_writes", "on"}, {"synchronous_commit", "on"}};
}

class DoctorTest : public testing::Test {
 protected:
  [[nodiscard]] ProcessResult collect(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), collect_binary());
    return run({.command = std::move(arguments),
                .environment = settings_,
                .inherit_environment = false,
                .directory = place_.path()});
  }
  // What is not well, "failure Redis: …".
  std::vector<std::string> troubles() {
    const auto done = collect({"doctor", "--json"});
    output_ = done.out + done.err;
    std::vector<std::string> out;
    bool failed = false;
    const auto document = parsed(done.out);
    for (const auto& each : document.root().find("findings")->elements) {
      const std::string state = text_of(each, "state");
      const std::string subject = text_of(each, "subject");
      EXPECT_EQ(text_of(each, "advice").empty(), state == "ok") << text_of(each, "found");
      failed = failed || state == "failure";
      // Whether a machine of tests is kept in time is nobody's business here.
      if (state == "ok" || text_of(each, "found").starts_with("nothing keeps")) continue;
      out.push_back(state + " " + subject + ": " + text_of(each, "found"));
    }
    EXPECT_EQ(text_of(document.root(), "ok"), failed ? "false" : "true");
    EXPECT_EQ(done.exit_code, failed ? 1 : 0);
    return out;
  }
  void set(Environment more) {
    for (auto& [name, value] : more) settings_[name] = value;
  }

  TempDir place_;
  Environment settings_;
  std::string output_;
};

TEST_F(DoctorTest, FindsAnEmbeddedOneWellAndTouchesNothing) {
  EXPECT_THAT(troubles(), IsEmpty());
  EXPECT_TRUE(fs::is_empty(place_.path()));
  ASSERT_EQ(collect({"org", "create", "--name", "Some"}).exit_code, 0);
  EXPECT_THAT(troubles(), IsEmpty());
  EXPECT_THAT(output_, AllOf(HasSubstr("SQLite 3"), HasSubstr("sound"), HasSubstr("GiB free in ./data")));
  const auto people = collect({"doctor"});
  EXPECT_EQ(people.exit_code, 0);
  EXPECT_THAT(people.out, AllOf(HasSubstr("ok       database"), HasSubstr("failures: 0")));
}

TEST_F(DoctorTest, SeesADamagedFile) {
  ASSERT_EQ(collect({"org", "create", "--name", "Some"}).exit_code, 0);
  const fs::path file = place_.path() / "data" / "collect.db";
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(fs::file_size(file) / 2));
  stream << std::string(100'000, '#');
  stream.close();
  EXPECT_THAT(troubles(), ElementsAre(StartsWith("failure database: ")));
}

TEST_F(DoctorTest, NamesEveryBadSettingAndFile) {
  std::ofstream(place_.path() / "config.yml") << "rules: [";
  std::ofstream(place_.path() / "half.pem") << "half";
  set({{"TLS_CERT_FILE", "half.pem"}, {"TLS_KEY_FILE", "none.pem"}});
  EXPECT_THAT(troubles(), ElementsAre(HasSubstr("failure rules: ./config.yml"),
                                      HasSubstr("failure certificate: TLS_KEY_FILE: cannot read none.pem")));
  set({{"S3_ENDPOINT", "https://s3.example.org"},
       {"S3_ACCESS_KEY", "key"},
       {"S3_SECRET_KEY", "hunter2hunter2"},
       {"BACKUP_S3_BUCKET", "backups"},
       {"BACKUP_S3_CA_FILE", "half.pem"}});
  constexpr const char* kBad = "BACKUP_S3_CA_FILE: expected certificates in PEM form in half.pem";
  EXPECT_THAT(troubles(), Contains(StartsWith(std::string("failure backups: ") + kBad)));
  const auto checked = collect({"config", "check"});
  EXPECT_EQ(checked.exit_code, 2);
  EXPECT_THAT(checked.err, HasSubstr(kBad));
  set({{"LISTEN_ADDRESS", "nowhere"}, {"REDIS_DB", "many"}});
  EXPECT_THAT(troubles(), ElementsAre(HasSubstr("failure settings: LISTEN_ADDRESS"),
                                      HasSubstr("failure settings: REDIS_DB")));
}

TEST_F(DoctorTest, FindsServersWell) {
  const PostgresServer postgres(as_delivered());
  const RedisServer redis({"--appendfsync", "always", "--maxmemory-policy", "noeviction"});
  const AlertmanagerServer alertmanager;
  const Certificate certificate(KeyKind::ec, 90);
  FakeS3::Options over_tls;
  over_tls.certificate_file = certificate.cert();
  over_tls.key_file = certificate.key();
  const FakeS3 storage(over_tls);
  set(settings_for(storage));
  set({{"DATABASE_URL", postgres.url()},
       {"REDIS_URL", redis.url()},
       {"MIMIR_URL", alertmanager.url()},
       {"TLS_CERT_FILE", certificate.cert()},
       {"TLS_KEY_FILE", certificate.key()}});
  EXPECT_THAT(troubles(), ElementsAre(HasSubstr("failure tables: the database lacks the migrations 0001_")));
  ASSERT_EQ(collect({"migrate"}).exit_code, 0);
  ASSERT_EQ(collect({"org", "create", "--name", "Some"}).exit_code, 0);
  EXPECT_THAT(troubles(), IsEmpty());
  EXPECT_THAT(output_,
              AllOf(HasSubstr("PostgreSQL 15"), HasSubstr("Redis 7"), HasSubstr("the same as Redis's"),
                    HasSubstr("stored, read, listed and removed"), HasSubstr("answers to tenant")));
  EXPECT_THAT(storage.objects(), IsEmpty());
}

TEST_F(DoctorTest, SaysWhatIsWrongWithServers) {
  // Those of the tests write without fsync.
  const RedisServer redis({"--appendonly", "no", "--maxmemory-policy", "allkeys-lru"});
  FakeS3 storage;
  set(settings_for(storage));
  set({{"DATABASE_URL", PostgresServer::shared().new_database()},
       {"REDIS_URL", redis.url()},
       {"MIMIR_URL", "http://127.0.0.1:" + std::to_string(free_port())}});
  ASSERT_EQ(collect({"migrate"}).exit_code, 0);
  storage.plan([](int /*number*/, const std::string& call) {
    return call.starts_with("DELETE") ? FakeS3::Fault::forbidden : FakeS3::Fault::none;
  });
  EXPECT_THAT(
      troubles(),
      AllOf(Contains(HasSubstr("failure database: a power cut may destroy this database (fsync off)")),
            Contains(HasSubstr("warning database: a power cut may damage pages")),
            Contains(HasSubstr("warning Redis: Redis does not write an append-only file")),
            Contains(HasSubstr("warning Redis: Redis may drop queued inventories")),
            Contains(StartsWith("failure backups: ")),
            Contains(HasSubstr("failure Alertmanager: http://127.0.0.1"))));
  EXPECT_THAT(output_, HasSubstr("s3:DeleteObject"));
  storage.plan([](int /*number*/, const std::string& call) {
    return call.starts_with("PUT") || call.starts_with("POST") ? FakeS3::Fault::forbidden
                                                               : FakeS3::Fault::none;
  });
  troubles();
  EXPECT_THAT(output_, AllOf(HasSubstr("s3:PutObject"), Not(HasSubstr("s3:GetObject"))));
}

TEST_F(DoctorTest, LooksAtEachServerForItself) {
  const RedisServer redis;
  set({{"DATABASE_URL",
        "postgresql://collect:hunter2hunter2@127.0.0.1:" + std::to_string(free_port()) + "/x"},
       {"REDIS_URL", redis.url()}});
  EXPECT_THAT(troubles(), ElementsAre(StartsWith("failure database: ")));
  EXPECT_THAT(output_, AllOf(HasSubstr("DATABASE_URL"), Not(HasSubstr("hunter2"))));
  set({{"REDIS_URL", "redis://:hunter2hunter2@127.0.0.1:" + std::to_string(free_port())}});
  EXPECT_THAT(troubles(), ElementsAre(StartsWith("failure database: "), StartsWith("failure Redis: ")));
  EXPECT_THAT(output_, Not(HasSubstr("hunter2")));
}

// Nobody has to ask doctor first.
TEST(AtTheStart, ARedisThatForgetsIsNamed) {
  Service service(EngineKind::servers, {}, Servers::own_redis);
  service.start();
  EXPECT_THAT(service.banner(), Not(HasSubstr("WARNING")));
  service.stop();
  service.redis_cli({"config", "set", "appendonly", "no"});
  service.redis_cli({"config", "set", "maxmemory-policy", "allkeys-lru"});
  service.start();
  EXPECT_THAT(service.banner(), AllOf(HasSubstr("WARNING     Redis does not write an append-only file"),
                                      HasSubstr("WARNING     Redis may drop queued inventories")));
}

}  // namespace
}  // namespace collect::test
