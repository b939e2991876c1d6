// SPDX-License-Identifier: Apache-2.0
#include "systems/labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace collect::systems {
namespace {

using testing::ElementsAre;
using testing::Pair;

System known_system() {
  System system;
  system.id = SystemId("id-1");
  system.system_key = "NETH-1";
  system.name = "rl1";
  system.type = "ns8";
  system.fqdn = "rl1.example.org";
  system.ipv4_address = "192.0.2.1";
  system.organization_id = OrganizationId("org-1");
  system.organization.row_id = "row-1";
  system.organization.logto_id = OrganizationId("org-1");
  system.organization.name = "Acme";
  system.organization.type = OrganizationType::reseller;
  system.organization.vat = "IT1";
  system.organization.managed_by = "boss";
  return system;
}

TEST(LabelsTest, AllThatIsKnown) {
  const auto labels = labels_of(known_system());
  EXPECT_THAT(labels, ElementsAre(Pair("organization_id", "org-1"), Pair("organization_name", "Acme"),
                                  Pair("organization_type", "reseller"), Pair("organization_vat", "IT1"),
                                  Pair("system_fqdn", "rl1.example.org"), Pair("system_id", "id-1"),
                                  Pair("system_ipv4", "192.0.2.1"), Pair("system_key", "NETH-1"),
                                  Pair("system_name", "rl1"), Pair("system_type", "ns8")));
  for (const auto name : kSystemLabels) EXPECT_EQ(labels.count(name), 1U) << name;
}

TEST(LabelsTest, WhatIsNotKnownIsNoLabel) {
  System system;
  system.id = SystemId("id-1");
  system.system_key = "NETH-1";
  system.fqdn = "";
  system.organization_id = OrganizationId("owner");
  system.organization.type = OrganizationType::owner;
  EXPECT_THAT(labels_of(system),
              ElementsAre(Pair("organization_id", "owner"), Pair("organization_type", "owner"),
                          Pair("system_id", "id-1"), Pair("system_key", "NETH-1")));
}

TEST(LabelsTest, TheTenantIsWhoManagesTheOrganization) {
  auto system = known_system();
  EXPECT_EQ(tenant_of(system), "boss");
  system.organization.managed_by = "";
  EXPECT_EQ(tenant_of(system), "org-1");
  system.organization.managed_by.reset();
  EXPECT_EQ(tenant_of(system), "org-1");
}

}  // namespace
}  // namespace collect::systems
