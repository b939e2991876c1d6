// SPDX-License-Identifier: Apache-2.0
// SystemStore.
#include "contract/store_contract.h"

namespace collect::test {
namespace {

using systems::Organization;
using systems::OrganizationType;
using systems::SystemChange;
using systems::SystemFilter;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class SystemContract : public StoreContract {
 protected:
  Organization organization(std::string_view word, OrganizationType type) {
    Organization made;
    made.row_id = id_of(word).text();
    made.logto_id = OrganizationId(std::string(word));
    made.name = "Name of " + std::string(word);
    made.type = type;
    return made;
  }
  systems::Login login(std::string_view key_or_id) {
    auto found = stores_.systems.find(key_or_id);
    if (!found) throw std::runtime_error(found.failure().message);
    if (!*found) throw std::runtime_error("not found");
    return std::move(**found);
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, SystemContract, testing::ValuesIn(store_engines()), engine_name);

TEST_P(SystemContract, FindsByKeyAndById) {
  auto made = new_system("a");
  made.name = "Office";
  ASSERT_TRUE(succeeded(stores_.systems.create(made, at(7))));
  for (const auto& name : {std::string("NETH-a"), id_of("a").text()}) {
    const auto found = login(name);
    EXPECT_EQ(found.system.id, id_of("a"));
    EXPECT_EQ(found.system.system_key, "NETH-a");
    EXPECT_EQ(found.system.name, "Office");
    EXPECT_EQ(found.system.status, "unknown");
    EXPECT_EQ(found.system.organization_id, OrganizationId("org-1"));
    EXPECT_EQ(found.system.organization.name, "First");
    EXPECT_EQ(found.system.organization.type, OrganizationType::customer);
    EXPECT_EQ(found.system.created_at, at(7));
    EXPECT_EQ(found.system.updated_at, at(7));
    EXPECT_EQ(found.system.registered_at, at(7));
    EXPECT_EQ(found.system.type, std::nullopt);
    EXPECT_EQ(found.system.fqdn, std::nullopt);
    EXPECT_EQ(found.system.suspended_at, std::nullopt);
    EXPECT_EQ(found.system.last_heartbeat, std::nullopt);
    ASSERT_TRUE(found.secret.has_value());
    EXPECT_EQ(found.secret->public_part, "public-a");
    EXPECT_EQ(found.secret->secret_sha256, "00:11");
  }
  for (const auto* name : {"", "NETH-b", "neth-a", "org-1", "no uuid '", "\xff\xfe"}) {
    const auto found = stores_.systems.find(name);
    ASSERT_TRUE(succeeded(found)) << name;
    EXPECT_FALSE(found->has_value()) << name;
  }
  EXPECT_FALSE(stores_.systems.find(std::string_view("NETH-a\0b", 8))->has_value());
}

TEST_P(SystemContract, AnUnregisteredSystemWithoutNameOrSecret) {
  auto made = new_system("a");
  made.registered = false;
  ASSERT_TRUE(succeeded(stores_.systems.create(made, at(7))));
  EXPECT_EQ(find("a").registered_at, std::nullopt);
  EXPECT_EQ(find("a").name, "");
  sql("update systems set system_secret_sha256 = null");
  EXPECT_FALSE(login("NETH-a").secret.has_value());
}

TEST_P(SystemContract, RefusesUnknownOrganizationsAndKnownKeys) {
  auto made = new_system("a");
  made.organization_id = OrganizationId("org-2");
  EXPECT_EQ(kind_of(stores_.systems.create(made, at(1))), "not_found");
  add_systems({"a"});
  EXPECT_EQ(kind_of(stores_.systems.create(new_system("a"), at(1))), "conflict");
  auto same_key = new_system("b");
  same_key.system_key = "NETH-a";
  EXPECT_EQ(kind_of(stores_.systems.create(same_key, at(1))), "conflict");
  EXPECT_THAT(*stores_.systems.list({}), SizeIs(1));
}

TEST_P(SystemContract, KnowsOrganizationsOfEveryType) {
  auto customer = organization("org-c", OrganizationType::customer);
  customer.vat = "IT01";
  customer.managed_by = "org-r";
  customer.suspended_at = at(3);
  ASSERT_TRUE(succeeded(stores_.systems.create_organization(customer, at(1))));
  ASSERT_TRUE(succeeded(
      stores_.systems.create_organization(organization("org-r", OrganizationType::reseller), at(2))));
  ASSERT_TRUE(succeeded(
      stores_.systems.create_organization(organization("org-d", OrganizationType::distributor), at(3))));
  EXPECT_EQ(
      kind_of(stores_.systems.create_organization(organization("org-o", OrganizationType::owner), at(4))),
      "invalid");
  EXPECT_EQ(
      kind_of(stores_.systems.create_organization(organization("org-r", OrganizationType::reseller), at(4))),
      "conflict");
  const auto all = stores_.systems.list_organizations();
  ASSERT_TRUE(succeeded(all));
  std::vector<std::string> names;
  for (const auto& one : *all) names.push_back(one.name);
  EXPECT_THAT(names, ElementsAre("First", "Name of org-c", "Name of org-r", "Name of org-d"));

  for (const auto* word : {"org-c", "org-r", "org-d"}) {
    auto made = new_system(word);
    made.organization_id = OrganizationId(std::string(word));
    ASSERT_TRUE(succeeded(stores_.systems.create(made, at(5))));
  }
  const auto found = find("org-c").organization;
  EXPECT_EQ(found.row_id, id_of("org-c").text());
  EXPECT_EQ(found.logto_id, OrganizationId("org-c"));
  EXPECT_EQ(found.name, "Name of org-c");
  EXPECT_EQ(found.vat, "IT01");
  EXPECT_EQ(found.managed_by, "org-r");
  EXPECT_EQ(found.suspended_at, at(3));
  EXPECT_EQ(found.deleted_at, std::nullopt);
  EXPECT_EQ(find("org-r").organization.type, OrganizationType::reseller);
  EXPECT_EQ(find("org-r").organization.vat, std::nullopt);
  EXPECT_EQ(find("org-d").organization.type, OrganizationType::distributor);
}

TEST_P(SystemContract, AnOrganizationIsNamedByEitherId) {
  auto made = new_system("a");
  made.organization_id = OrganizationId(id_of("organization 1").text());
  ASSERT_TRUE(succeeded(stores_.systems.create(made, at(5))));
  EXPECT_EQ(find("a").organization_id, OrganizationId("org-1"));
  sql("update systems set organization_id = '" + id_of("organization 1").text() + "'");
  EXPECT_EQ(find("a").organization.name, "First");
  EXPECT_EQ(find("a").organization.logto_id, OrganizationId("org-1"));
  sql("update customers set logto_id = null");
  EXPECT_EQ(find("a").organization.logto_id, OrganizationId(id_of("organization 1").text()));
}

TEST_P(SystemContract, WhoIsInNoTableIsTheOwner) {
  add_systems({"a"});
  sql("update systems set organization_id = 'the owner'");
  const auto found = find("a").organization;
  EXPECT_EQ(found.type, OrganizationType::owner);
  EXPECT_EQ(found.name, "");
  EXPECT_EQ(found.logto_id, OrganizationId("the owner"));
}

TEST_P(SystemContract, ADeletedOrganizationIsStillShown) {
  add_systems({"a"});
  sql("update customers set deleted_at = updated_at");
  EXPECT_EQ(find("a").organization.name, "First");
  EXPECT_EQ(find("a").organization.deleted_at, at(0));
  EXPECT_EQ(kind_of(stores_.systems.create(new_system("b"), at(1))), "not_found");
}

TEST_P(SystemContract, SuspendsLiftsRotatesAndRemoves) {
  add_systems({"a", "b"});
  SystemChange suspend;
  suspend.suspension = SystemChange::Suspension::suspend;
  ASSERT_TRUE(succeeded(stores_.systems.change(id_of("a"), suspend, at(10))));
  EXPECT_EQ(find("a").suspended_at, at(10));
  EXPECT_EQ(find("a").updated_at, at(10));
  EXPECT_EQ(find("b").suspended_at, std::nullopt);

  SystemChange rotate;
  rotate.secret = {"public-new", "22:33"};
  ASSERT_TRUE(succeeded(stores_.systems.change(id_of("a"), rotate, at(20))));
  EXPECT_EQ(login("NETH-a").secret->public_part, "public-new");
  EXPECT_EQ(login("NETH-a").secret->secret_sha256, "22:33");
  EXPECT_EQ(find("a").suspended_at, at(10));

  SystemChange lift;
  lift.suspension = SystemChange::Suspension::lift;
  ASSERT_TRUE(succeeded(stores_.systems.change(id_of("a"), lift, at(30))));
  EXPECT_EQ(find("a").suspended_at, std::nullopt);
  EXPECT_EQ(login("NETH-a").secret->secret_sha256, "22:33");

  SystemChange remove;
  remove.remove = true;
  ASSERT_TRUE(succeeded(stores_.systems.change(id_of("a"), remove, at(40))));
  EXPECT_EQ(find("a").status, "deleted");
  EXPECT_EQ(find("a").deleted_at, at(40));
  EXPECT_EQ(kind_of(stores_.systems.change(id_of("c"), remove, at(40))), "not_found");
  EXPECT_EQ(kind_of(stores_.systems.change(SystemId("no uuid"), remove, at(40))), "not_found");

  const auto ids = [](const auto& systems) {
    std::vector<SystemId> found;
    for (const auto& system : *systems) found.push_back(system.id);
    return found;
  };
  EXPECT_THAT(ids(stores_.systems.list({})), ElementsAre(id_of("b")));
  EXPECT_THAT(ids(stores_.systems.list({std::nullopt, true})),
              testing::UnorderedElementsAre(id_of("a"), id_of("b")));
}

TEST_P(SystemContract, ListsTheSystemsOfAnOrganization) {
  add_systems({"a"});
  ASSERT_TRUE(succeeded(
      stores_.systems.create_organization(organization("org-2", OrganizationType::reseller), at(1))));
  auto made = new_system("b");
  made.organization_id = OrganizationId("org-2");
  ASSERT_TRUE(succeeded(stores_.systems.create(made, at(2))));
  const auto all = stores_.systems.list({});
  ASSERT_THAT(*all, SizeIs(2));
  EXPECT_EQ((*all)[0].id, id_of("a"));
  EXPECT_EQ((*all)[1].organization.name, "Name of org-2");
  for (const auto& name : {std::string("org-2"), id_of("org-2").text()}) {
    const auto some = stores_.systems.list({.organization_id = OrganizationId(name)});
    ASSERT_THAT(*some, SizeIs(1)) << name;
    EXPECT_EQ(some->front().id, id_of("b"));
  }
  EXPECT_THAT(*stores_.systems.list({.organization_id = OrganizationId("org-3")}), IsEmpty());
}

TEST_P(SystemContract, ListsAPageOfThoseAskedFor) {
  for (const auto* word : {"e", "d", "c", "b", "a"}) {
    auto made = new_system(word);
    made.name = std::string("Office ") + word;
    ASSERT_TRUE(succeeded(stores_.systems.create(made, at(word[0] == 'a' ? 2 : 1))));
  }
  sql("UPDATE systems SET status = 'active', fqdn = 'FW.example.org' WHERE system_key = 'NETH-c'");
  sql("UPDATE systems SET type = 'ns8' WHERE system_key IN ('NETH-a', 'NETH-c')");
  SystemChange removal;
  removal.remove = true;
  ASSERT_TRUE(succeeded(stores_.systems.change(id_of("e"), removal, at(9))));
  const auto keys = [&](const SystemFilter& filter) {
    std::vector<std::string> found;
    const auto listed = stores_.systems.list(filter);
    EXPECT_TRUE(succeeded(listed));
    for (const auto& system : *listed) found.push_back(system.system_key);
    return found;
  };
  const auto all = keys({});
  ASSERT_THAT(all, SizeIs(4));
  EXPECT_EQ(all.back(), "NETH-a");
  EXPECT_EQ(stores_.systems.count({})->count, 4);
  EXPECT_EQ(stores_.systems.count({.include_deleted = true})->count, 5);
  EXPECT_EQ(stores_.systems.count({.organization_id = OrganizationId("org-1"), .type = "ns8"})->count, 2);
  EXPECT_EQ(stores_.systems.count({.organization_id = OrganizationId("nobody")})->count, 0);

  std::vector<std::string> by_cursor;
  SystemFilter page{.limit = 1};
  for (auto next = keys(page); !next.empty(); next = keys(page)) {
    by_cursor.push_back(next.front());
    page.after = login(next.front()).system.id;
  }
  EXPECT_EQ(by_cursor, all);
  EXPECT_THAT(keys({.skip = 1, .limit = 2}), ElementsAre(all[1], all[2]));
  EXPECT_THAT(keys({.skip = 4}), IsEmpty());
  EXPECT_EQ(kind_of(stores_.systems.list({.after = SystemId("nobody")})), "invalid");
  EXPECT_EQ(kind_of(stores_.systems.list({.after = id_of("z")})), "invalid");

  EXPECT_THAT(keys({.status = "active"}), ElementsAre("NETH-c"));
  EXPECT_THAT(keys({.type = "ns8"}), ElementsAre("NETH-c", "NETH-a"));
  EXPECT_THAT(keys({.search = "fw.EXAMPLE"}), ElementsAre("NETH-c"));
  EXPECT_THAT(keys({.search = "office B"}), ElementsAre("NETH-b"));
  EXPECT_THAT(keys({.search = "neth-"}), SizeIs(4));
  EXPECT_THAT(keys({.search = "%"}), IsEmpty());
}

TEST_P(SystemContract, TheRevisionGrowsWithEveryWrite) {
  EXPECT_EQ(*stores_.systems.revision(), 0);
  add_systems({"a"});
  const auto created = *stores_.systems.revision();
  EXPECT_GT(created, 0);
  EXPECT_EQ(kind_of(stores_.systems.create(new_system("a"), at(1))), "conflict");
  EXPECT_EQ(*stores_.systems.revision(), created);
  ASSERT_TRUE(succeeded(stores_.systems.change(id_of("a"), {}, at(1))));
  EXPECT_GT(*stores_.systems.revision(), created);
}

}  // namespace
}  // namespace collect::test
