// SPDX-License-Identifier: Apache-2.0
#include "systems/authenticator.h"

#include <gtest/gtest.h>

#include <future>
#include <semaphore>

#include "base/hash.h"
#include "systems/fake_system_store.h"

namespace collect::systems {
namespace {

using namespace std::chrono_literals;
using Kind = Verdict::Kind;

const Time kNow{1'700'000'000s};

std::string basic(std::string_view user, std::string_view password) {
  return "Basic " + to_base64(std::string(user) + ":" + std::string(password));
}

class AuthenticatorTest : public testing::Test {
 protected:
  AuthenticatorTest() { login = &add("NETH-1"); }

  Login& add(const std::string& key) {
    Login added;
    added.system.id = SystemId("id-of-" + key);
    added.system.system_key = key;
    added.system.status = "active";
    added.system.registered_at = kNow;
    added.secret = secret.stored;
    return store.logins["id-of-" + key] = added;
  }
  Kind check(const std::string& header) { return authenticator.check(header).value().kind; }
  Kind recall(const std::string& header) { return authenticator.from_cache(header).kind; }

  const NewSecret secret = new_system_secret(32);
  const std::string good = basic("NETH-1", secret.text);
  FakeSystemStore store;
  Login* login = nullptr;
  ManualClock clock{kNow};
  Authenticator authenticator{store, clock, {}};
};

TEST(ParseBasic, ReadsWhatIsWellFormed) {
  const auto credentials = parse_basic("bAsIc   " + to_base64("user:pass:word"));
  ASSERT_TRUE(credentials);
  EXPECT_EQ(credentials->user, "user");
  EXPECT_EQ(credentials->password, "pass:word");
  EXPECT_EQ(parse_basic(basic("u", ""))->password, "");
}

TEST(ParseBasic, RefusesTheRest) {
  const std::string token = to_base64("user:password");
  for (const std::string& wrong :
       {std::string(), std::string("Basic"), std::string("Basic "), "Basic" + token, "Bearer " + token,
        "Basic\t" + token, "Basic " + token + " ", "Basic " + token + "=", "Basic " + token.substr(1),
        "Basic " + to_base64("no colon"), basic("", "password"), basic("us er", "p"), basic("us\ner", "p"),
        basic(std::string_view("us\0er", 5), "p"), basic("\xc3\xa9", "p"), basic("\xff", "p"),
        basic(std::string(256, 'u'), "p"), basic("u", std::string(2000, 'p'))}) {
    EXPECT_FALSE(parse_basic(wrong)) << wrong;
  }
}

TEST_F(AuthenticatorTest, AdmitsByKeyAndByIdAndRemembers) {
  EXPECT_EQ(recall(good), Kind::unknown);
  const auto verdict = authenticator.check(good);
  ASSERT_EQ(verdict->kind, Kind::admitted);
  EXPECT_EQ(verdict->system->id.text(), "id-of-NETH-1");
  EXPECT_EQ(recall(good), Kind::admitted);
  EXPECT_EQ(check(basic("id-of-NETH-1", secret.text)), Kind::admitted);
  EXPECT_EQ(check(good), Kind::admitted);
  EXPECT_EQ(store.finds, 2);
}

TEST_F(AuthenticatorTest, RefusesMalformedHeadersWithoutALookUp) {
  const std::string public_part = secret.stored.public_part;
  for (const std::string& wrong :
       {std::string(), std::string("Basic !!!!"), basic("NETH-1", "password"), basic("NETH-1", "my_a"),
        basic("NETH-1", "my_" + public_part + "." + std::string(31, 'a')), good + "x"}) {
    EXPECT_EQ(recall(wrong), Kind::refused);
    EXPECT_EQ(check(wrong), Kind::refused);
  }
  EXPECT_EQ(store.finds, 0);
}

TEST_F(AuthenticatorTest, RefusesUnknownKeysAndWrongSecretsAndHashesEitherWay) {
  EXPECT_EQ(check(basic("NETH-1", new_system_secret(32).text)), Kind::refused);
  EXPECT_EQ(authenticator.counters().secrets_hashed, 1U);
  EXPECT_EQ(check(basic("NETH-unknown", secret.text)), Kind::refused);
  EXPECT_EQ(authenticator.counters().secrets_hashed, 2U);
  login->secret.reset();
  EXPECT_EQ(check(good), Kind::refused);
  EXPECT_EQ(authenticator.counters().secrets_hashed, 3U);
  EXPECT_EQ(recall(good), Kind::refused);
}

TEST_F(AuthenticatorTest, AnothersSecretOpensNothing) {
  const NewSecret other = new_system_secret(32);
  add("NETH-2").secret = other.stored;
  EXPECT_EQ(check(basic("NETH-1", other.text)), Kind::refused);
  // The right secret part under another public part.
  const std::string mixed = "my_" + other.stored.public_part + secret.text.substr(secret.text.find('.'));
  EXPECT_EQ(check(basic("NETH-1", mixed)), Kind::refused);
  EXPECT_EQ(check(good), Kind::admitted);
}

TEST_F(AuthenticatorTest, RefusesWhoIsBarred) {
  const System welcome = login->system;
  const auto refused_as = [&](auto change) {
    login->system = welcome;
    change(login->system);
    authenticator.clear();
    return check(good) == Kind::refused;
  };
  EXPECT_TRUE(refused_as([](System& s) { s.deleted_at = kNow; }));
  EXPECT_TRUE(refused_as([](System& s) { s.status = "deleted"; }));
  EXPECT_TRUE(refused_as([](System& s) { s.suspended_at = kNow; }));
  EXPECT_TRUE(refused_as([](System& s) { s.organization.suspended_at = kNow; }));
  EXPECT_TRUE(refused_as([](System& s) { s.organization.deleted_at = kNow; }));
  EXPECT_TRUE(refused_as([](System& s) { s.registered_at.reset(); }));
  EXPECT_FALSE(refused_as([](System&) {}));
}

TEST_F(AuthenticatorTest, AdmissionsLastAboutTenMinutesAndNotAllTheSame) {
  std::set<bool> at_the_middle;
  for (int i = 0; i < 100; ++i) add("NETH-many-" + std::to_string(i));
  const auto header = [&](int i) { return basic("NETH-many-" + std::to_string(i), secret.text); };
  for (int i = 0; i < 100; ++i) check(header(i));
  clock.set(kNow + 7min + 29s);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(recall(header(i)), Kind::admitted);
  clock.set(kNow + 10min);
  for (int i = 0; i < 100; ++i) at_the_middle.insert(recall(header(i)) == Kind::admitted);
  EXPECT_EQ(at_the_middle.size(), 2U);
  clock.set(kNow + 12min + 31s);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(recall(header(i)), Kind::unknown);
}

TEST_F(AuthenticatorTest, RefusalsLastAMinute) {
  const std::string wrong = basic("NETH-1", new_system_secret(32).text);
  check(wrong);
  clock.advance(59s);
  EXPECT_EQ(recall(wrong), Kind::refused);
  clock.advance(1s);
  EXPECT_EQ(recall(wrong), Kind::unknown);
}

TEST_F(AuthenticatorTest, AFailingStoreIsUnavailableAndNotRemembered) {
  for (const Failure& failure : {unavailable("away"), internal("broken"), invalid("odd")}) {
    store.failure = failure;
    const auto verdict = authenticator.check(good);
    ASSERT_FALSE(verdict);
    EXPECT_EQ(verdict.failure().kind, FailureKind::unavailable);
    EXPECT_EQ(recall(good), Kind::unknown);
  }
  store.failure.reset();
  EXPECT_EQ(check(good), Kind::admitted);
  store.failure = unavailable("away");
  EXPECT_EQ(check(good), Kind::admitted);  // who is remembered goes on
  EXPECT_EQ(authenticator.counters().unavailable, 3U);
}

TEST_F(AuthenticatorTest, InvalidationTakesEffectAtOnce) {
  const std::string by_id = basic("id-of-NETH-1", secret.text);
  check(good);
  check(by_id);
  login->system.suspended_at = kNow;
  EXPECT_EQ(check(good), Kind::admitted);
  authenticator.invalidate("NETH-1");
  EXPECT_EQ(check(good), Kind::refused);
  EXPECT_EQ(check(by_id), Kind::refused);
  login->system.suspended_at.reset();
  EXPECT_EQ(check(good), Kind::refused);
  authenticator.invalidate("NETH-1");
  EXPECT_EQ(check(good), Kind::admitted);
  authenticator.clear();
  EXPECT_EQ(recall(good), Kind::unknown);
}

TEST_F(AuthenticatorTest, ALookUpOvertakenByARevocationIsNotRemembered) {
  store.on_find = [&] { authenticator.invalidate("NETH-1"); };
  EXPECT_EQ(check(good), Kind::admitted);
  EXPECT_EQ(recall(good), Kind::unknown);
}

TEST_F(AuthenticatorTest, WithoutACacheEachRequestIsLookedUp) {
  Authenticator forgetful(store, clock, {.cache_ttl = 0ms});
  EXPECT_EQ(forgetful.check(good)->kind, Kind::admitted);
  EXPECT_EQ(forgetful.check(good)->kind, Kind::admitted);
  EXPECT_EQ(store.finds, 2);
}

TEST_F(AuthenticatorTest, ConcurrentMissesShareOneLookUp) {
  std::binary_semaphore entered(0);
  std::binary_semaphore go_on(0);
  store.on_find = [&] {
    entered.release();
    go_on.acquire();
  };
  auto first = std::async(std::launch::async, [&] { return check(good); });
  entered.acquire();
  std::vector<std::future<Kind>> others;
  for (int i = 0; i < 3; ++i) others.push_back(std::async(std::launch::async, [&] { return check(good); }));
  while (authenticator.counters().shared_look_up < 3) std::this_thread::yield();
  go_on.release();
  EXPECT_EQ(first.get(), Kind::admitted);
  for (auto& other : others) EXPECT_EQ(other.get(), Kind::admitted);
  EXPECT_EQ(store.finds, 1);
}

TEST_F(AuthenticatorTest, WhoComesAfterARevocationDoesNotShareALookUpFromBefore) {
  std::binary_semaphore entered(0);
  std::binary_semaphore go_on(0);
  std::atomic<int> calls{0};
  store.on_find = [&] {
    if (calls++ > 0) return;
    entered.release();
    go_on.acquire();
  };
  auto first = std::async(std::launch::async, [&] { return check(good); });
  entered.acquire();
  authenticator.invalidate("NETH-1");
  EXPECT_EQ(check(good), Kind::admitted);
  EXPECT_EQ(store.finds, 2);
  go_on.release();
  first.get();
}

TEST_F(AuthenticatorTest, CountersAddUp) {
  check(good);
  check(good);
  check(basic("NETH-none", secret.text));
  check("");
  const AuthCounters& counters = authenticator.counters();
  EXPECT_EQ(counters.admitted, 2U);
  EXPECT_EQ(counters.refused, 2U);
  EXPECT_EQ(counters.from_cache, 1U);
  EXPECT_EQ(counters.looked_up, 2U);
}

}  // namespace
}  // namespace collect::systems
