// SPDX-License-Identifier: Apache-2.0
#include "alerts/message_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alerts/delivery_for_test.h"

namespace collect::alerts {
namespace {

using diff::Severity;
using testing::HasSubstr;
using testing::Not;

TEST(MessageTextTest, OneAlert) {
  const auto delivery = test_delivery_of({test_item(2, Severity::critical, "Node 2 left the cluster")});
  const Digest digest(delivery, 10);
  EXPECT_EQ(subject(digest), "[Collect] critical: rl1: Node 2 left the cluster");
  EXPECT_EQ(plain_text(digest),
            "1 alert about rl1 (NETH-rl1, rl1.example.org) of Acme & Söhne\n"
            "- critical: Node 2 left the cluster (facts.nodes.2, 2026-01-02 03:06 UTC)");
  EXPECT_THAT(html_text(digest), HasSubstr("of Acme &amp; Söhne"));
}

TEST(MessageTextTest, ASystemThatTheMessageNamesIsNotNamedTwice) {
  const auto delivery = test_delivery_of({test_item(2, Severity::critical, "Node 2 left the cluster rl1")});
  EXPECT_EQ(subject(Digest(delivery, 10)), "[Collect] critical: Node 2 left the cluster rl1");
}

TEST(MessageTextTest, SeveralAlertsOfWhichOneIsOver) {
  const auto delivery = test_delivery_of({resolved(test_item(1, Severity::critical, "Node 1 left")),
                                          test_item(2, Severity::high, "Certificate changed"),
                                          test_item(3, Severity::low, "A module is new")});
  const Digest digest(delivery, 10);
  EXPECT_EQ(subject(digest), "[Collect] high: rl1: Certificate changed (+2)");
  EXPECT_EQ(plain_text(digest),
            "3 alerts about rl1 (NETH-rl1, rl1.example.org) of Acme & Söhne\n"
            "- resolved: Node 1 left (facts.nodes.1, 2026-01-02 04:05 UTC)\n"
            "- high: Certificate changed (facts.nodes.2, 2026-01-02 03:06 UTC)\n"
            "- low: A module is new (facts.nodes.3, 2026-01-02 03:07 UTC)");
  const auto over = test_delivery_of({resolved(test_item(1, Severity::critical, "Node 1 left"))});
  EXPECT_EQ(subject(Digest(over, 10)), "[Collect] resolved: rl1: Node 1 left");
}

TEST(MessageTextTest, AStormStaysReadable) {
  const auto delivery = test_storm(1000);
  const Digest digest(delivery, 10);
  EXPECT_EQ(subject(digest), "[Collect] critical: 1000 alerts about 1000 systems of Acme & Söhne");
  const auto text = plain_text(digest);
  EXPECT_THAT(text, testing::StartsWith("1000 alerts about 1000 systems of Acme & Söhne\n"
                                        "10 critical, 990 medium; 990 type_medium, 10 type_critical\n"
                                        "- critical: s100: Rocky Linux is 9.5 now (facts.nodes.100, "));
  EXPECT_THAT(text, testing::EndsWith("\nand 990 more: collect alerts list --org org-1 --since "
                                      "2026-01-02T03:05:05.678901Z"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 12);
  EXPECT_LT(html_text(digest).size(), 4000U);
}

TEST(MessageTextTest, AFleetThatWentSilentPointsAtCollectItself) {
  auto delivery = test_storm(1000);
  delivery.organization_id = OrganizationId(std::string(kWholeFleet));
  const Digest digest(delivery, 10);
  EXPECT_EQ(subject(digest), "[Collect] critical: 1000 alerts about 1000 systems of the fleet");
  EXPECT_THAT(
      plain_text(digest),
      testing::StartsWith("1000 alerts about 1000 systems of the fleet\n"
                          "Half of the fleet went silent at once: look at Collect's own network first."));
  EXPECT_THAT(plain_text(digest),
              testing::EndsWith("more: collect alerts list --since 2026-01-02T03:05:05.678901Z"));
  EXPECT_THAT(html_text(digest), HasSubstr("look at Collect's own network"));
  for (auto& item : delivery.items) item = resolved(item);
  EXPECT_THAT(plain_text(Digest(delivery, 10)), Not(HasSubstr("network")));
}

TEST(MessageTextTest, ASummaryAboutOneSystemNamesIt) {
  auto delivery = test_delivery_of({test_item(2, Severity::critical, "Node 2 left")});
  delivery.summary = true;
  const Digest digest(delivery, 10);
  EXPECT_EQ(subject(digest),
            "[Collect] critical: 1 alert about rl1 (NETH-rl1, rl1.example.org) of Acme & Söhne");
  EXPECT_THAT(plain_text(digest),
              testing::StartsWith("1 alert about rl1 (NETH-rl1, rl1.example.org) of Acme & Söhne\n"));
}

TEST(MessageTextTest, ManyAlertsOfOneSystemNameTheSystemInTheCommand) {
  std::vector<DeliveryItem> items;
  for (int i = 1; i <= 12; ++i) items.push_back(test_item(i, Severity::low, "m"));
  const auto delivery = test_delivery_of(std::move(items));
  EXPECT_THAT(plain_text(Digest(delivery, 10)),
              HasSubstr("\nand 2 more: collect alerts list --system NETH-rl1 --since "));
}

TEST(MessageTextTest, WhatASystemSaysIsOnlyText) {
  auto system = test_system("rl1");
  system.name = "<script>alert(1)</script>\r\nBcc: x";
  const auto delivery = test_delivery_of(
      {test_item(1, Severity::high, "one\r\n\r\ntwo <img src=\"x\"> " + std::string(5000, 'x'), system)});
  const Digest digest(delivery, 10);
  EXPECT_THAT(html_text(digest), Not(HasSubstr("<script>")));
  EXPECT_THAT(html_text(digest), HasSubstr("one two &lt;img src=&quot;x&quot;&gt;"));
  EXPECT_THAT(subject(digest), Not(testing::ContainsRegex("[\r\n]")));
  EXPECT_LT(subject(digest).size(), 220U);
  EXPECT_LT(plain_text(digest).size(), 800U);
  EXPECT_EQ(one_line(" a\t\tb\xFF\n"), "a b\xEF\xBF\xBD");
}

TEST(MessageTextTest, NamesASystemByWhatIsKnown) {
  auto system = test_system("rl1");
  system.name.clear();
  EXPECT_THAT(plain_text(Digest(test_delivery_of({test_item(1, Severity::low, "m", system)}), 10)),
              HasSubstr("about rl1.example.org (NETH-rl1) of"));
  system.fqdn.reset();
  system.organization.name.clear();
  const auto delivery = test_delivery_of({test_item(1, Severity::low, "m", system)});
  EXPECT_THAT(plain_text(Digest(delivery, 10)), HasSubstr("about NETH-rl1 of org-1"));
}

}  // namespace
}  // namespace collect::alerts
