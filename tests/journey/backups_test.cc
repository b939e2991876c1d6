// SPDX-License-Identifier: Apache-2.0
// Backups, from outside: in and out, refused, cut at any point, many at once.
#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <random>
#include <thread>

#include "base/hash.h"
#include "base/sha256_stream.h"
#include "journey/appliance.h"
#include "journey/backup_place.h"
#include "support/source_dir.h"

namespace collect::test {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;

constexpr const char* kPath = "/api/systems/backups";

Environment generous(Environment more = {}) {
  more.try_emplace("BACKUP_RATE_LIMIT_PER_MINUTE", "0");
  more.try_emplace("BACKUP_RATE_LIMIT_PER_HOUR", "0");
  return more;
}

std::string noise(std::size_t size, unsigned seed = 1) {
  std::mt19937_64 random(seed);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

struct Listed {
  std::string id, filename, sha256;
  std::uint64_t size = 0;
};

Listed listed_of(const json::Value& backup) {
  return {text_of(backup, "id"), text_of(backup, "filename"), text_of(backup, "sha256"),
          std::stoull(text_of(backup, "size"))};
}

std::vector<Listed> list(Appliance& box) {
  const auto answer = box.http().get(kPath);
  EXPECT_EQ(answer.status, 200) << answer.body;
  const auto document = parsed(answer.body);
  std::vector<Listed> out;
  for (const auto& each : document.root().find("data")->find("backups")->elements)
    out.push_back(listed_of(each));
  return out;
}

HttpResponse upload(Appliance& box, std::string_view body, const std::string& name = "dump.tar.gz") {
  return box.http().post(kPath, body, {{"X-Filename", name}, {"Content-Type", "application/gzip"}});
}

std::string stored_id(Appliance& box, std::string_view body) {
  const auto answer = upload(box, body);
  EXPECT_EQ(answer.status, 201) << answer.body;
  return text_of(*parsed(answer.body).root().find("data"), "id");
}

struct Ground {
  EngineKind engine;
  PlaceKind place;
};

class Backups : public testing::TestWithParam<Ground> {
 protected:
  void start(Environment more = {}) {
    service_ = std::make_unique<Service>(GetParam().engine, generous(std::move(more)));
    for (const auto& [name, value] : place_->settings(service_->folder())) service_->settings()[name] = value;
    service_->start();
  }
  Appliance box(const std::string& name = "Box") { return {*service_, service_->new_system(name)}; }
  [[nodiscard]] double outcome(const std::string& word) const {
    return service_->metric("collect_backup_uploads_total", {"outcome=\"" + word + "\""});
  }
  [[nodiscard]] std::string head_of_upload(const Appliance& box, std::size_t size) const {
    return "POST /api/systems/backups HTTP/1.1\r\nHost: h\r\nAuthorization: Basic " +
           to_base64(box.login().key + ":" + box.login().secret) +
           "\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
  }

  const std::unique_ptr<BackupPlace> place_ = make_place(GetParam().place);
  // Sent to the storage in three pieces.
  const std::size_t large_ = 5 * (place_->piece() / 2);
  std::unique_ptr<Service> service_;
};
INSTANTIATE_TEST_SUITE_P(, Backups,
                         testing::Values(Ground{EngineKind::embedded, PlaceKind::directory},
                                         Ground{EngineKind::servers, PlaceKind::directory},
                                         Ground{EngineKind::embedded, PlaceKind::fake_s3},
                                         Ground{EngineKind::servers, PlaceKind::s3rver}),
                         [](const auto& each) {
                           return name_of(each.param.engine) + "_" + name_of(each.param.place);
                         });

TEST_P(Backups, GoInAndComeOutAgain) {
  start();
  auto box = this->box();
  const std::string content = noise(3'000'000);
  const auto answer = upload(box, content, "../../my dump.tar.gz");
  ASSERT_EQ(answer.status, 201) << answer.body;
  const auto document = parsed(answer.body);
  const auto& data = *document.root().find("data");
  EXPECT_THAT(keys_of(data), ElementsAre("filename", "id", "mimetype", "sha256", "size", "uploaded_at"));
  const Listed backup = listed_of(data);
  EXPECT_THAT(backup.id, MatchesRegex("[0-9a-f-]{36}\\.tar\\.gz"));
  EXPECT_EQ(backup.filename, "my_dump.tar.gz");
  EXPECT_EQ(backup.size, content.size());
  EXPECT_EQ(backup.sha256, to_hex(sha256(content)));
  EXPECT_EQ(text_of(data, "mimetype"), "application/gzip");

  const auto all = list(box);
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].id, backup.id);
  EXPECT_EQ(all[0].sha256, backup.sha256);

  const std::string path = std::string(kPath) + "/" + backup.id;
  const auto whole = box.http().get(path);
  EXPECT_EQ(whole.status, 200);
  EXPECT_TRUE(whole.body == content);
  EXPECT_EQ(whole.header("Content-Type"), "application/octet-stream");
  EXPECT_EQ(whole.header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(whole.header("Content-Disposition"), "attachment; filename=\"my_dump.tar.gz\"");
  EXPECT_EQ(whole.header("X-Checksum-Sha256"), backup.sha256);
  EXPECT_EQ(whole.header("Digest"), "sha-256=" + to_base64(*from_hex(backup.sha256)));

  const auto part = box.http().get(path, {{"Range", "bytes=1000-1999"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.header("Content-Range"), "bytes 1000-1999/3000000");
  EXPECT_TRUE(part.body == content.substr(1000, 1000));
  const auto tail = box.http().get(path, {{"Range", "bytes=-10"}, {"If-Range", "\"" + backup.sha256 + "\""}});
  EXPECT_EQ(tail.status, 206);
  EXPECT_TRUE(tail.body == content.substr(content.size() - 10));
  EXPECT_EQ(box.http().get(path, {{"Range", "bytes=0-1"}, {"If-Range", "\"other\""}}).status, 200);
  const auto beyond = box.http().get(path, {{"Range", "bytes=3000000-"}});
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.header("Content-Range"), "bytes */3000000");

  EXPECT_EQ(box.http().request("DELETE", path).status, 200);
  EXPECT_EQ(box.http().request("DELETE", path).status, 404);
  EXPECT_EQ(box.http().get(path).status, 404);
  EXPECT_THAT(list(box), IsEmpty());
  EXPECT_THAT(place_->contents(), IsEmpty());
}

TEST_P(Backups, AreRefusedBeforeTheyAreSent) {
  start({{"BACKUP_MAX_UPLOAD_SIZE", "10KB"}, {"BACKUP_MAX_SIZE_PER_ORG", "15KB"}});
  auto box = this->box();
  const auto refused = [&](const std::string& fields) {
    HttpClient client(service_->port());
    client.send("POST /api/systems/backups HTTP/1.1\r\nHost: h\r\nAuthorization: Basic " +
                to_base64(box.login().key + ":" + box.login().secret) + "\r\n" + fields + "\r\n");
    return client.receive();
  };
  EXPECT_EQ(refused("").status, 411);
  EXPECT_EQ(refused("Transfer-Encoding: chunked\r\n").status, 411);
  EXPECT_EQ(refused("Content-Length: 0\r\n").status, 400);
  const auto large = refused("Content-Length: 10241\r\nExpect: 100-continue\r\n");
  EXPECT_EQ(large.status, 413);
  EXPECT_THAT(large.body, HasSubstr("\"max_size_bytes\":10240"));
  EXPECT_EQ(upload(box, noise(10'240)).status, 201);
  const auto over = refused("Content-Length: 6000\r\nExpect: 100-continue\r\n");
  EXPECT_EQ(over.status, 413);
  EXPECT_THAT(over.body, HasSubstr(R"("quota_bytes":15360,"used_bytes":10240)"));
  EXPECT_EQ(upload(box, noise(5'120)).status, 201);
  // A wrong secret is a 401 before anything else.
  box.http().basic_auth(box.login().key, "my_public.wrong");
  EXPECT_EQ(upload(box, noise(10)).status, 401);
}

TEST_P(Backups, AreOneSystemsOwn) {
  start();
  auto mine = this->box("Mine");
  auto other = this->box("Other");
  const std::string id = stored_id(mine, noise(1000));
  const std::string path = std::string(kPath) + "/" + id;
  EXPECT_EQ(other.http().get(path).status, 404);
  EXPECT_EQ(other.http().request("HEAD", path).status, 404);
  EXPECT_EQ(other.http().request("DELETE", path).status, 404);
  EXPECT_THAT(list(other), IsEmpty());
  for (const std::string& hostile :
       {std::string("x"), id + "x", std::string("..%2f") + mine.login().key + "%2f" + id, id.substr(0, 36),
        std::string("%2e%2e"), std::string("00000000-0000-4000-8000-000000000000.gpg"), id + "%00",
        std::string("*"), std::string("'%20or%20'1'='1")}) {
    EXPECT_THAT(other.http().get(std::string(kPath) + "/" + hostile).status, AnyOf(400, 404)) << hostile;
    EXPECT_THAT(other.http().request("DELETE", std::string(kPath) + "/" + hostile).status, AnyOf(400, 404))
        << hostile;
  }
  EXPECT_THAT(list(mine), SizeIs(1));
}

TEST_P(Backups, AreLimitedInTheirNumber) {
  start({{"BACKUP_RATE_LIMIT_PER_MINUTE", "3"}, {"BACKUP_MAX_PER_SYSTEM", "2"}});
  auto box = this->box();
  const std::string first = stored_id(box, noise(10));
  const std::string second = stored_id(box, noise(20));
  const std::string third = stored_id(box, noise(30));
  const auto all = list(box);
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].id, third);
  EXPECT_EQ(all[1].id, second);
  const auto limited = upload(box, noise(40));
  EXPECT_EQ(limited.status, 429);
  EXPECT_GT(std::stoi("0" + limited.header("Retry-After")), 0);
  auto other = this->box("Other");
  EXPECT_EQ(upload(other, noise(40)).status, 201);
}

// A hundred clients, each gone after another part of its backup.
TEST_P(Backups, CutAnywhereLeaveNothing) {
  start({{"BACKUP_MAX_SIZE_PER_ORG", std::to_string(2 * large_)}});
  auto box = this->box();
  const std::string content = noise(large_);
  const std::string head = head_of_upload(box, large_);
  for (std::size_t point = 0; point < 100; ++point) {
    HttpClient client(service_->port());
    client.send(head + content.substr(0, large_ * point / 100));
    client.close();
    // Not a herd: the quota has room for two at once.
    ASSERT_TRUE(eventually([&] { return outcome("failed") == static_cast<double>(point + 1); })) << point;
  }
  EXPECT_THAT(list(box), IsEmpty());
  EXPECT_THAT(place_->contents(), IsEmpty());
  EXPECT_EQ(upload(box, noise(2 * large_)).status, 201) << "room was lost";
  EXPECT_EQ(outcome("over_quota"), 0);
}

TEST_P(Backups, KilledInTheMiddleLeaveNothing) {
  start({{"BACKUP_MAX_SIZE_PER_ORG", std::to_string(large_ + large_ / 10)}});
  auto box = this->box();
  const std::string content = noise(large_);
  for (std::size_t round = 0; round < 6; ++round) {
    HttpClient client(service_->port());
    client.send(head_of_upload(box, large_) + content.substr(0, large_ * round / 6));
    ASSERT_TRUE(eventually([&] { return service_->metric("collect_backup_uploads_under_way") == 1; }));
    service_->kill_hard();
    client.close();
    service_->start();
    EXPECT_TRUE(eventually([&] { return place_->contents().empty(); }));
    auto again = Appliance(*service_, box.login());
    EXPECT_THAT(list(again), IsEmpty());
    if (GetParam().engine == EngineKind::servers) {
      // Another process might still be at it: its room is free when its lease ends.
      service_->sql("UPDATE backup_reservations SET lasts_until = lasts_until - interval '61 seconds'");
    }
    const auto answer = upload(again, content);
    ASSERT_EQ(answer.status, 201) << answer.body;
    again.http().request("DELETE", std::string(kPath) + "/" + list(again).front().id);
  }
}

TEST_P(Backups, ManyAtOnceKeepTheQuotaExact) {
  const std::size_t size = place_->piece() + 1;
  start({{"BACKUP_MAX_SIZE_PER_ORG", std::to_string(size * 15 / 2)}});
  std::vector<Login> logins;
  for (int i = 0; i < 20; ++i) logins.push_back(service_->new_system("Box " + std::to_string(i)));
  const std::string content = noise(size);
  std::atomic<int> kept{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (const Login& login : logins) {
    threads.emplace_back([&] {
      Appliance box(*service_, login);
      int status = 0;
      EXPECT_NO_THROW(status = upload(box, content).status);
      EXPECT_THAT(status, AnyOf(201, 413));
      ++(status == 201 ? kept : refused);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(kept, 7);
  EXPECT_EQ(refused, 13);
}

TEST_P(Backups, OfOneSystemAtOnceKeepTheRetentionExact) {
  start({{"BACKUP_MAX_PER_SYSTEM", "2"}});
  auto box = this->box();
  for (int round = 0; round < 5; ++round) {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 3; ++i) {
      threads.emplace_back([&, i] {
        Appliance same(*service_, box.login());
        EXPECT_EQ(upload(same, noise(place_->piece() + 1, i)).status, 201);
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const Listed& backup : list(box)) {
      const auto whole = box.http().get(std::string(kPath) + "/" + backup.id);
      EXPECT_EQ(to_hex(sha256(whole.body)), backup.sha256);
    }
    EXPECT_THAT(list(box), SizeIs(2));
  }
}

TEST_P(Backups, DoNotGrowTheProcess) {
  start({{"BACKUP_MAX_SIZE_PER_SYSTEM", "10GB"}});
  auto box = this->box();
  EXPECT_EQ(upload(box, noise(1000)).status, 201);
  const auto resident = [&] {
    std::ifstream status("/proc/" + std::to_string(service_->pid()) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmHWM:")) return std::stol(line.substr(6)) / 1024;
    }
    return 0L;
  };
  const long idle = resident();
  ASSERT_GT(idle, 0);
  constexpr std::size_t kPieces = 300;
  const std::string piece = noise(1'000'000);
  HttpClient client(service_->port());
  client.send(head_of_upload(box, kPieces * piece.size()));
  for (std::size_t i = 0; i < kPieces; ++i) client.send(piece);
  const auto answer = client.receive();
  ASSERT_EQ(answer.status, 201) << answer.body;
  const auto down = box.http().get(std::string(kPath) + "/" + list(box).front().id);
  EXPECT_EQ(down.body.size(), kPieces * piece.size());
  EXPECT_EQ(to_hex(sha256(down.body)), down.header("X-Checksum-Sha256"));
  // The peak, of which the sanitizers' own part is not ours.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(resident() - idle, 30) << "MB";
#endif
}

TEST_P(Backups, AreLookedAfterFromTheCommandLine) {
  start();
  auto box = this->box();
  const std::string content = noise(50'000);
  const std::string id = stored_id(box, content);
  const std::string other = stored_id(box, noise(70'000, 2));
  const auto listed = parsed(service_->cli_output({"backups", "list", box.login().key, "--json"}));
  ASSERT_THAT(listed.root().elements, SizeIs(2));
  EXPECT_EQ(text_of(listed.root().elements[0], "id"), other);
  EXPECT_THAT(service_->cli_output({"backups", "list", box.login().id}), HasSubstr(id));

  const std::string out = service_->folder() / "restored";
  service_->cli_output({"backups", "get", box.login().key, id, "--out", out});
  EXPECT_TRUE(read_text(out) == content);
  EXPECT_EQ(service_->cli({"backups", "get", box.login().key, id, "--out", out}).exit_code, 4);
  EXPECT_EQ(service_->cli({"backups", "get", box.login().key, "x"}).exit_code, 2);

  const auto usage = parsed(service_->cli_output({"backups", "usage", "--json"}));
  ASSERT_THAT(usage.root().elements, SizeIs(1));
  EXPECT_EQ(text_of(usage.root().elements[0], "bytes"), "120000");
  EXPECT_EQ(text_of(usage.root().elements[0], "backups"), "2");
  EXPECT_THAT(service_->cli_output({"backups", "usage"}), HasSubstr("Example Ltd"));

  EXPECT_THAT(service_->cli_output({"backups", "verify"}), HasSubstr("whole"));
  place_->damage(id, 25'000);
  const auto verified = service_->cli({"backups", "verify", box.login().key, "--json"});
  EXPECT_EQ(verified.exit_code, 1);
  const auto findings = parsed(verified.out);
  ASSERT_THAT(findings.root().elements, SizeIs(2));
  EXPECT_EQ(text_of(findings.root().elements[0], "state"), "corrupt");
  EXPECT_EQ(text_of(findings.root().elements[1], "state"), "whole");
  const auto open = [&] {
    return parsed(service_->cli_output({"alerts", "list", "--type", "backup_corrupt", "--open", "--json"}));
  };
  const auto told = open();
  ASSERT_THAT(told.root().elements, SizeIs(1));
  EXPECT_THAT(text_of(told.root().elements[0], "message"), HasSubstr(id));
  const std::string broken = service_->folder() / "broken";
  EXPECT_EQ(service_->cli({"backups", "get", box.login().key, id, "--out", broken}).exit_code, 1);
  EXPECT_FALSE(fs::exists(broken));
  box.http().request("DELETE", std::string(kPath) + "/" + id);
  service_->cli_output({"backups", "verify"});
  EXPECT_THAT(open().root().elements, IsEmpty());
}

// README.md is what people type: its commands are run as they stand there.
TEST_P(Backups, ReturnAsTheReadmeSays) {
  start();
  const auto box = this->box();
  const std::string readme = read_text(fs::path(COLLECT_SOURCE_DIR) / "README.md");
  const std::size_t from = readme.rfind("```sh\n", readme.find("\ngpg "));
  ASSERT_NE(from, std::string::npos);
  const std::string script = readme.substr(from + 6, readme.find("```\n", from + 6) - from - 6);
  ASSERT_THAT(script, HasSubstr("cmp "));
  const TempDir folder;
  std::ofstream(folder.path() / "state.json") << labelled_inventory("mine", 100'000);
  fs::create_directory(folder.path() / "gnupg");
  fs::permissions(folder.path() / "gnupg", fs::perms::owner_all);
  const auto result =
      run({.command = {"bash", "-euo", "pipefail", "-c", script + "gpgconf --kill all\n"},
           .environment = {{"COLLECT", "http://127.0.0.1:" + std::to_string(service_->port())},
                           {"SYSTEM_KEY", box.login().key},
                           {"SYSTEM_SECRET", box.login().secret},
                           {"PASSPHRASE", "correct horse"},
                           {"GNUPGHOME", folder.path() / "gnupg"}},
           .inherit_environment = false,
           .directory = folder.path()});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_EQ(read_text(folder.path() / "restored.json"), read_text(folder.path() / "state.json"));
}

// The bytes of two processes lie in one place, their reservations in one database.
class BackupsOfTwoProcesses : public testing::TestWithParam<PlaceKind> {};
INSTANTIATE_TEST_SUITE_P(, BackupsOfTwoProcesses, testing::Values(PlaceKind::directory, PlaceKind::fake_s3),
                         [](const auto& each) { return name_of(each.param); });

TEST_P(BackupsOfTwoProcesses, KeepQuotaAndRetentionExact) {
  const auto place = make_place(GetParam());
  const std::size_t size = place->piece() + 1;
  Service first(EngineKind::servers, generous({{"BACKUP_MAX_SIZE_PER_ORG", std::to_string(size * 15 / 2)},
                                               {"BACKUP_MAX_PER_SYSTEM", "1"}}));
  for (const auto& [name, value] : place->settings(first.folder())) first.settings()[name] = value;
  first.start();
  const int other_port = free_port();
  const std::string own_address = first.settings()["LISTEN_ADDRESS"];
  first.settings()["LISTEN_ADDRESS"] = "127.0.0.1:" + std::to_string(other_port);
  const auto second = first.launch({"serve"});
  ASSERT_TRUE(second->wait_for_http(other_port, "/api/health/live", std::chrono::seconds(60)));
  first.settings()["LISTEN_ADDRESS"] = own_address;

  std::vector<Login> logins;
  for (int i = 0; i < 10; ++i) logins.push_back(first.new_system("Box " + std::to_string(i)));
  const std::string content = noise(size);
  std::atomic<int> kept{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&, i] {
      HttpClient client(i % 2 == 0 ? first.port() : other_port);
      const Login& login = logins[static_cast<std::size_t>(i / 2)];
      client.basic_auth(login.key, login.secret);
      const int status = client.post(kPath, content).status;
      EXPECT_THAT(status, AnyOf(201, 413));
      kept += status == 201 ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(kept, 7);
  std::uint64_t there = 0;
  for (const Login& login : logins) {
    Appliance box(first, login);
    const auto all = list(box);
    EXPECT_LE(all.size(), 1U) << "retention";
    there += all.size();
  }
  EXPECT_LE(there, 7U) << "quota";
  EXPECT_GE(there, 4U);
}

}  // namespace
}  // namespace collect::test
