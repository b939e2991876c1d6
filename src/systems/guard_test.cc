// SPDX-License-Identifier: Apache-2.0
#include "systems/guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "systems/fake_system_store.h"
#include "systems/info_api.h"

namespace collect::systems {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const Time kNow{1'700'000'000s};

class GuardTest : public testing::Test {
 protected:
  GuardTest() {
    System system;
    system.id = SystemId("7c4dd0a1-6a3e-4d4c-9b6e-2f0a4c1f0001");
    system.system_key = "NETH-1";
    system.status = "active";
    system.organization_id = OrganizationId("org-1");
    system.organization.type = OrganizationType::owner;
    system.created_at = kNow;
    system.registered_at = kNow + 1s;
    store.logins[system.id.text()] = {system, secret.stored};
    router.add(net::Method::get, "/info", info_endpoint(authenticator, store));
    router.add(
        net::Method::post, "/echo",
        for_systems(authenticator, 10, net::BodyUse::buffer, [](const System& s, net::Request request) {
          return net::envelope(200, s.system_key + " says " + request.body);
        }));
  }

  System& system() { return store.logins.begin()->second.system; }

  // As the server does it; an answer given on the I/O thread without a look-up says so in `on_io_thread`.
  net::Response ask(net::Method method, const std::string& path, const std::string& authorization) {
    net::Request request;
    request.method = method;
    request.path = path;
    request.body = "hello";
    if (!authorization.empty()) request.headers.add("authorization", authorization);
    net::Admission admission = router.admit(request);
    on_io_thread = !std::holds_alternative<net::Blocking>(admission);
    if (auto* blocking = std::get_if<net::Blocking>(&admission)) {
      auto decision = blocking->decide();
      if (auto* answer = std::get_if<net::Response>(&decision)) return *answer;
      return std::get<net::Accepted>(decision).handle(request);
    }
    if (auto* answer = std::get_if<net::Response>(&admission)) return *answer;
    return std::get<net::Accepted>(admission).handle(request);
  }
  std::string basic(const std::string& user, const std::string& password) {
    return "Basic " + to_base64(user + ":" + password);
  }

  const NewSecret secret = new_system_secret(32);
  const std::string good = basic("NETH-1", secret.text);
  FakeSystemStore store;
  ManualClock clock{kNow};
  Authenticator authenticator{store, clock, {}};
  net::Router router;
  bool on_io_thread = false;
};

TEST_F(GuardTest, WhoIsAdmittedIsHandledWithItsSystem) {
  const net::Response first = ask(net::Method::post, "/echo", good);
  EXPECT_EQ(first.status, 200);
  EXPECT_THAT(first.body, HasSubstr("NETH-1 says hello"));
  EXPECT_FALSE(on_io_thread);
  EXPECT_EQ(ask(net::Method::post, "/echo", good).status, 200);
  EXPECT_TRUE(on_io_thread);
}

TEST_F(GuardTest, EveryRefusalIsTheSameAnswer) {
  const net::Response expected = ask(net::Method::get, "/info", "");
  EXPECT_EQ(expected.status, 401);
  EXPECT_EQ(expected.body, R"({"code":401,"message":"unauthorized","data":null})");
  ASSERT_EQ(expected.headers.size(), 1U);
  EXPECT_EQ(expected.headers[0].name, "WWW-Authenticate");
  EXPECT_EQ(expected.headers[0].value, "Basic realm=\"System Authentication\"");
  std::vector<net::Response> answers;
  for (const std::string& header :
       {std::string("Basic x"), basic("NETH-2", secret.text), basic("NETH-1", new_system_secret(32).text),
        basic("NETH-1", "password")}) {
    answers.push_back(ask(net::Method::get, "/info", header));
    answers.push_back(ask(net::Method::get, "/info", header));
  }
  system().suspended_at = kNow;
  answers.push_back(ask(net::Method::get, "/info", good));
  for (const net::Response& answer : answers) {
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(answer.body, expected.body);
    EXPECT_EQ(answer.content_type, expected.content_type);
    ASSERT_EQ(answer.headers.size(), 1U);
    EXPECT_EQ(answer.headers[0].value, expected.headers[0].value);
  }
}

TEST_F(GuardTest, AFailingStoreIsA503WithRetryAfterNeverA401) {
  store.failure = unavailable("away");
  const net::Response answer = ask(net::Method::post, "/echo", good);
  EXPECT_EQ(answer.status, 503);
  ASSERT_FALSE(answer.headers.empty());
  EXPECT_EQ(answer.headers[0].name, "Retry-After");
  store.failure.reset();
  EXPECT_EQ(ask(net::Method::post, "/echo", good).status, 200);
}

TEST_F(GuardTest, InfoTellsWhatTheContractLists) {
  system().name = "mail";
  system().type = "ns8";
  Organization& organization = system().organization;
  organization = {"row-1", OrganizationId("org-1"), "ACME", OrganizationType::customer, {}, {}, {}, {}};
  EXPECT_EQ(
      ask(net::Method::get, "/info", good).body,
      R"({"code":200,"message":"system information","data":{)"
      R"("system_id":"7c4dd0a1-6a3e-4d4c-9b6e-2f0a4c1f0001","system_key":"NETH-1","name":"mail","type":"ns8",)"
      R"("fqdn":null,"status":"active","suspended":false,"suspended_at":null,"deleted":false,)"
      R"("deleted_at":null,"registered":true,"registered_at":"2023-11-14T22:13:21.000000Z",)"
      R"("created_at":"2023-11-14T22:13:20.000000Z","organization":{"id":"row-1","logto_id":"org-1","name":"ACME",)"
      R"("type":"customer","suspended":false,"suspended_at":null}}})");
}

TEST_F(GuardTest, InfoOfAnOwnersSystemKnowsOnlyTheOrganizationsId) {
  EXPECT_THAT(
      ask(net::Method::get, "/info", good).body,
      HasSubstr(
          R"("organization":{"id":"org-1","logto_id":"org-1","name":null,"type":"owner","suspended":false)"));
}

TEST_F(GuardTest, InfoIsReadAfreshAndNoticesARevocation) {
  ask(net::Method::get, "/info", good);
  system().fqdn = "new.example.org";
  EXPECT_THAT(ask(net::Method::get, "/info", good).body, HasSubstr("new.example.org"));
  system().suspended_at = kNow;
  EXPECT_EQ(ask(net::Method::get, "/info", good).status, 401);
  EXPECT_EQ(ask(net::Method::post, "/echo", good).status, 401);
}

TEST_F(GuardTest, InfoIsA503WhenTheStoreFailsAfterAdmission) {
  ask(net::Method::get, "/info", good);
  store.failure = unavailable("away");
  EXPECT_EQ(ask(net::Method::get, "/info", good).status, 503);
}

}  // namespace
}  // namespace collect::systems
