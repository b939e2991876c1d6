// SPDX-License-Identifier: Apache-2.0
// Who may report: one answer to everybody who may not, and changes of that which take effect at once.
#include <gmock/gmock.h>

#include <chrono>

#include "base/hash.h"
#include "journey/appliance.h"

namespace collect::test {
namespace {

using std::chrono::steady_clock;

// Without being told, a process would believe what it remembers for hours.
constexpr milliseconds kAtOnce{1500};

// What an outsider can tell answers apart by.
std::string all_of(const HttpResponse& answer) {
  std::string text = std::to_string(answer.status) + "\n";
  for (const auto& [name, value] : answer.headers) {
    if (name != "date" && name != "x-request-id") text += name + ": " + value + "\n";
  }
  return text + answer.body;
}

class Authentication : public OnEachEngine {
 protected:
  HttpResponse info(const std::string& user, const std::string& password) {
    HttpClient client(service_.port());
    client.basic_auth(user, password);
    return client.get("/api/systems/info");
  }
  bool becomes(int status, const Login& login, milliseconds within) {
    return eventually([&] { return info(login.key, login.secret).status == status; }, within);
  }

  RunningService service_{GetParam()};
};
COLLECT_ON_EACH_ENGINE(Authentication);

TEST_P(Authentication, EveryRefusalIsTheSame) {
  const Login good = service_.new_system("Good");
  const Login suspended = service_.new_system("Suspended");
  const Login deleted = service_.new_system("Deleted");
  const Login unregistered = service_.new_system("Unregistered", {"--unregistered"});
  service_.cli_output({"system", "suspend", suspended.key});
  service_.cli_output({"system", "delete", deleted.key});
  ASSERT_EQ(info(good.key, good.secret).status, 200);
  ASSERT_EQ(info(good.id, good.secret).status, 200) << "the id is as good as the key";

  HttpClient plain(service_.port());
  const auto reference = plain.get("/api/systems/info");
  EXPECT_EQ(reference.status, 401);
  EXPECT_EQ(reference.header("WWW-Authenticate"), R"(Basic realm="System Authentication")");
  const std::string expected = all_of(reference);
  const std::string wrong_secret = good.secret.substr(0, good.secret.size() - 1) + "!";
  const std::string no_dot = "my_" + std::string(60, 'a');
  EXPECT_EQ(all_of(info(good.key, wrong_secret)), expected);
  EXPECT_EQ(all_of(info(good.key, "")), expected);
  EXPECT_EQ(all_of(info(good.key, no_dot)), expected);
  EXPECT_EQ(all_of(info("NETH-0000-0000-0000-0000-0000-0000-0000-0000", good.secret)), expected);
  EXPECT_EQ(all_of(info("somebody", good.secret)), expected);
  EXPECT_EQ(all_of(info("", "")), expected);
  EXPECT_EQ(all_of(info(suspended.key, suspended.secret)), expected);
  EXPECT_EQ(all_of(info(deleted.key, deleted.secret)), expected);
  EXPECT_EQ(all_of(info(unregistered.key, unregistered.secret)), expected);
  EXPECT_EQ(all_of(info(unregistered.key, good.secret)), expected);
  for (const char* header :
       {"Basic", "Basic ", "Basic !!!", "Basic bm9jb2xvbg==", "Bearer abc", "nonsense"}) {
    EXPECT_EQ(all_of(plain.get("/api/systems/info", {{"Authorization", header}})), expected) << header;
  }
  EXPECT_EQ(plain.post("/api/systems/inventory", R"({"a":1})").status, 401);
  EXPECT_EQ(plain.request("POST", "/api/systems/heartbeat").status, 401);
}

TEST_P(Authentication, ARefusedBodyIsNotRead) {
  HttpClient client(service_.port());
  client.send("POST /api/systems/inventory HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n{");
  EXPECT_EQ(client.receive().status, 401);
}

TEST_P(Authentication, SuspensionAndReactivationTakeEffectAtOnce) {
  const Login login = service_.new_system();
  ASSERT_EQ(info(login.key, login.secret).status, 200);
  Appliance box(service_, login);
  box.report(R"({"a":1})");

  service_.cli_output({"system", "suspend", login.key});
  EXPECT_TRUE(becomes(401, login, kAtOnce));
  EXPECT_EQ(box.post(R"({"a":2})").status, 401) << "a kept connection is refused as well";
  EXPECT_EQ(box.http().request("POST", "/api/systems/heartbeat").status, 401);

  service_.cli_output({"system", "reactivate", login.key});
  EXPECT_TRUE(becomes(200, login, kAtOnce));
  EXPECT_EQ(box.post(R"({"a":2})").status, 202);
}

TEST_P(Authentication, InventoriesAreRefusedAtOnceToo) {
  // Other than info, this path asks nobody but the cache.
  Appliance box(service_, service_.new_system());
  box.accept(R"({"a":1})");
  service_.cli_output({"system", "suspend", box.login().key});
  EXPECT_TRUE(eventually([&] { return box.post(R"({"a":1})").status == 401; }, kAtOnce));
  service_.cli_output({"system", "reactivate", box.login().key});
  EXPECT_TRUE(eventually([&] { return box.post(R"({"a":1})").status == 202; }, kAtOnce));
}

TEST_P(Authentication, DeletionTakesEffectAtOnce) {
  const Login login = service_.new_system();
  Appliance box(service_, login);
  box.accept(R"({"a":1})");
  service_.cli_output({"system", "delete", login.key});
  EXPECT_TRUE(eventually([&] { return box.post(R"({"a":1})").status == 401; }, kAtOnce));
}

TEST_P(Authentication, ARotatedSecretReplacesTheOld) {
  const Login old = service_.new_system();
  ASSERT_EQ(info(old.key, old.secret).status, 200);
  const auto issued = parsed(service_.cli_output({"system", "rotate-secret", old.key, "--json"}));
  const Login fresh{old.id, old.key, text_of(issued.root(), "system_secret")};
  EXPECT_NE(fresh.secret, old.secret);
  EXPECT_TRUE(becomes(200, fresh, kAtOnce));
  EXPECT_TRUE(becomes(401, old, kAtOnce));
}

TEST_P(Authentication, ASecretIsNowhereInTheLog) {
  service_.stop();
  service_.settings()["LOG_LEVEL"] = "debug";
  service_.start();
  const Login login = service_.new_system();
  EXPECT_EQ(info(login.key, login.secret).status, 200);
  EXPECT_EQ(info(login.key, login.secret + "x").status, 401);
  const std::string encoded = to_base64(login.key + ":" + login.secret);
  const std::string credentials = "Authorization: Basic " + encoded + "\r\n";
  for (const std::string rest :
       {"Content-Length: 2\r\nContent-Length: 3\r\n\r\n", "Host: again\r\n\r\n", " folded\r\n\r\n",
        "Content-Length: 2\r\n\r\n{]", "Transfer-Encoding: gzip\r\n\r\n"}) {
    HttpClient client(service_.port());
    client.send("POST /api/systems/inventory HTTP/1.1\r\nHost: h\r\n" + credentials + rest);
    EXPECT_EQ(client.receive().status, 400) << rest;
  }
  Appliance box(service_, login);
  box.report(R"({"a":1})");
  EXPECT_EQ(box.http().post("/api/systems/heartbeat", "").status, 200);
  EXPECT_EQ(box.http().post("/api/systems/backups", "content").status, 201);
  if (GetParam() == EngineKind::servers) {
    service_.postgres().stop();
    EXPECT_EQ(box.http().get("/api/systems/backups").status, 200);
    EXPECT_EQ(info(login.key, login.secret + "y").status, 503);
    service_.postgres().start();
  }
  service_.stop();
  const std::string hidden = login.secret.substr(login.secret.find('.') + 1);
  EXPECT_EQ(service_.log().find(hidden), std::string::npos);
  EXPECT_EQ(service_.log().find(encoded), std::string::npos);
  EXPECT_EQ(service_.log().find(encoded.substr(encoded.size() - 24)), std::string::npos);
}

}  // namespace
}  // namespace collect::test
