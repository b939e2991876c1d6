// SPDX-License-Identifier: Apache-2.0
#include "systems/system_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "systems/fake_system_store.h"

namespace collect::systems {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

const Time kNow{1'700'000'000s};
const OrganizationId kOrganization("0b6a2a4e-0b1a-4f0e-8a35-000000000001");

class SystemRegistryTest : public testing::Test {
 protected:
  IssuedSystem issue(const std::string& name = "mail") {
    return registry.create({kOrganization, name, true}, kNow).value();
  }
  bool opens(const std::string& secret) {
    const Login& login = store.logins.begin()->second;
    const auto parts = parse_system_secret(secret);
    return parts && verify_secret(*parts, login.secret);
  }

  FakeSystemStore store;
  std::vector<std::string> told;
  Result<void> telling;
  SystemRegistry registry{store, 32, [this](std::string_view key) {
                            told.emplace_back(key);
                            return telling;
                          }};
};

TEST_F(SystemRegistryTest, CreatesAnOrganization) {
  Organization boss;
  boss.row_id = "row";
  boss.logto_id = OrganizationId("managing-org");
  store.organizations.push_back(boss);
  const auto created = registry.create_organization(
      {"  ACME S.r.l. ", OrganizationType::reseller, "IT0123", "managing-org"}, kNow);
  ASSERT_TRUE(created);
  ASSERT_EQ(store.organizations.size(), 2U);
  const Organization& stored = store.organizations[1];
  EXPECT_TRUE(is_uuid(stored.row_id));
  EXPECT_EQ(stored.logto_id.text(), stored.row_id);
  EXPECT_EQ(stored.name, "ACME S.r.l.");
  EXPECT_EQ(stored.vat, "IT0123");
  EXPECT_EQ(stored.managed_by, "managing-org");
  EXPECT_EQ(organization_json(*created),
            R"({"id":")" + stored.row_id + R"(","name":"ACME S.r.l.","type":"reseller"})");
}

TEST_F(SystemRegistryTest, TheManagingOrganizationHasToExist) {
  const auto refused = registry.create_organization({"ACME", OrganizationType::customer, {}, "nobody"}, kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().kind, FailureKind::not_found);
  EXPECT_TRUE(store.organizations.empty());
}

TEST_F(SystemRegistryTest, RefusesOrganizationsThatMakeNoSense) {
  const std::string long_name(256, 'x');
  for (const std::string& name :
       {std::string(), std::string(" \t"), std::string("a\nb"), std::string("\xff"), long_name}) {
    EXPECT_EQ(registry.create_organization({name, OrganizationType::customer, {}, {}}, kNow).failure().kind,
              FailureKind::invalid);
  }
  EXPECT_FALSE(registry.create_organization({"a", OrganizationType::owner, {}, {}}, kNow));
  EXPECT_FALSE(registry.create_organization({"a", OrganizationType::customer, {}, "no id"}, kNow));
  EXPECT_TRUE(
      registry.create_organization({std::string(255, 'x'), OrganizationType::customer, {}, {}}, kNow));
}

TEST_F(SystemRegistryTest, CreatesARegisteredSystemAndShowsItsSecretOnce) {
  const IssuedSystem issued = issue();
  EXPECT_TRUE(is_uuid(issued.id.text()));
  EXPECT_EQ(issued.id.text()[14], '4');
  EXPECT_TRUE(is_system_key(issued.system_key));
  EXPECT_TRUE(opens(issued.system_secret));
  EXPECT_EQ(store.logins.begin()->second.system.registered_at, kNow);
  EXPECT_EQ(issued_system_json(issued), R"({"id":")" + issued.id.text() + R"(","system_key":")" +
                                            issued.system_key + R"(","system_secret":")" +
                                            issued.system_secret + R"(","organization_id":")" +
                                            kOrganization.text() + R"(","name":"mail"})");
  const System shown = registry.show(issued.system_key).value();
  EXPECT_THAT(system_json(shown), testing::Not(HasSubstr("secret")));
}

TEST_F(SystemRegistryTest, CreatesAnUnregisteredSystem) {
  ASSERT_TRUE(registry.create({kOrganization, "later", false}, kNow));
  EXPECT_FALSE(store.logins.begin()->second.system.registered_at);
}

TEST_F(SystemRegistryTest, TriesAnotherKeyWhenOneIsTaken) {
  store.conflicts = 1;
  EXPECT_TRUE(registry.create({kOrganization, "mail", true}, kNow));
  store.conflicts = 100;
  EXPECT_EQ(registry.create({kOrganization, "mail", true}, kNow).failure().kind, FailureKind::conflict);
}

TEST_F(SystemRegistryTest, SuspendsAndReactivatesByKeyOrIdAndTellsEachTime) {
  const IssuedSystem issued = issue();
  const auto suspended = registry.suspend(issued.system_key, kNow);
  ASSERT_TRUE(suspended);
  EXPECT_EQ(suspended->system.suspended_at, kNow);
  EXPECT_FALSE(suspended->not_announced);
  EXPECT_TRUE(registry.suspend(issued.system_key, kNow));
  EXPECT_FALSE(registry.reactivate(issued.id.text(), kNow)->system.suspended_at);
  EXPECT_THAT(told, ElementsAre(issued.system_key, issued.system_key, issued.system_key));
}

TEST_F(SystemRegistryTest, RotatesTheSecret) {
  const IssuedSystem issued = issue();
  const auto rotated = registry.rotate_secret(issued.system_key, kNow);
  ASSERT_TRUE(rotated);
  EXPECT_EQ(rotated->issued.id, issued.id);
  EXPECT_TRUE(opens(rotated->issued.system_secret));
  EXPECT_FALSE(opens(issued.system_secret));
  EXPECT_THAT(told, ElementsAre(issued.system_key));
}

TEST_F(SystemRegistryTest, WhatIsDeletedIsShownButNotChanged) {
  const IssuedSystem issued = issue();
  ASSERT_TRUE(registry.remove(issued.system_key, kNow));
  EXPECT_EQ(registry.show(issued.system_key)->status, "deleted");
  for (const auto& failure : {registry.suspend(issued.system_key, kNow).failure(),
                              registry.reactivate(issued.system_key, kNow).failure(),
                              registry.remove(issued.system_key, kNow).failure(),
                              registry.rotate_secret(issued.system_key, kNow).failure()}) {
    EXPECT_EQ(failure.kind, FailureKind::conflict);
  }
  EXPECT_TRUE(registry.list({})->empty());
  EXPECT_EQ(registry.list({{}, true})->size(), 1U);
}

TEST_F(SystemRegistryTest, SaysWhenAChangeHoldsButNobodyWasTold) {
  const IssuedSystem issued = issue();
  telling = unavailable("Redis is away");
  const auto suspended = registry.suspend(issued.system_key, kNow);
  ASSERT_TRUE(suspended);
  ASSERT_TRUE(suspended->not_announced);
  EXPECT_EQ(suspended->not_announced->message, "Redis is away");
  const auto rotated = registry.rotate_secret(issued.system_key, kNow);
  ASSERT_TRUE(rotated);
  EXPECT_TRUE(rotated->not_announced);
}

TEST_F(SystemRegistryTest, WhoIsNotThereIsNotFound) {
  for (const std::string_view nobody : {"NETH-nobody", "", "a b"}) {
    EXPECT_EQ(registry.show(nobody).failure().kind, FailureKind::not_found);
    EXPECT_EQ(registry.suspend(nobody, kNow).failure().kind, FailureKind::not_found);
  }
  EXPECT_TRUE(told.empty());
}

TEST_F(SystemRegistryTest, AFailingStoreIsPassedOn) {
  store.failure = unavailable("away");
  EXPECT_EQ(registry.create({kOrganization, "mail", true}, kNow).failure().kind, FailureKind::unavailable);
  EXPECT_EQ(registry.suspend("NETH-1", kNow).failure().kind, FailureKind::unavailable);
  EXPECT_EQ(registry.list({}).failure().kind, FailureKind::unavailable);
}

TEST_F(SystemRegistryTest, ListsAreJson) {
  issue("a \"quoted\" name");
  const std::string text = systems_json(registry.list({}).value());
  ASSERT_TRUE(json::check(text));
  EXPECT_THAT(text, HasSubstr(R"("name":"a \"quoted\" name")"));
  ASSERT_TRUE(registry.create_organization({"ACME", OrganizationType::customer, {}, {}}, kNow));
  EXPECT_TRUE(json::check(organizations_json(registry.organizations().value())));
  EXPECT_EQ(systems_json({}), "[]");
}

TEST(OrganizationType, HasOneWordEach) {
  for (const auto type : {OrganizationType::customer, OrganizationType::reseller,
                          OrganizationType::distributor, OrganizationType::owner}) {
    EXPECT_EQ(parse_organization_type(to_string(type)), type);
  }
  EXPECT_FALSE(parse_organization_type("Customer"));
}

}  // namespace
}  // namespace collect::systems
