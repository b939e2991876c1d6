// SPDX-License-Identifier: Apache-2.0
#include "alerts/alert_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace collect::alerts {
namespace {

using diff::ChangeType;
using testing::AllOf;
using testing::Contains;
using testing::EndsWith;
using testing::Key;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

systems::System the_system() {
  systems::System system;
  system.id = SystemId("id-1");
  system.system_key = "NETH-1";
  system.name = "Office";
  system.type = "ns8";
  system.fqdn = "office.example.org";
  system.organization_id = OrganizationId("org-1");
  system.organization.name = "Example";
  return system;
}

StoredDiff a_diff(ChangeType type, const std::string& path, const char* previous, const char* current) {
  StoredDiff diff;
  diff.type = type;
  diff.field_path = path;
  diff.category = "nodes";
  diff.severity = diff::Severity::high;
  if (previous != nullptr) diff.previous_value = previous;
  if (current != nullptr) diff.current_value = current;
  return diff;
}

templates::Values labels_of(ChangeType type, const std::string& path, const char* previous,
                            const char* current) {
  return alert_labels(the_system(), a_diff(type, path, previous, current));
}

// How a value is shown.
std::string shown(const std::string& value) {
  return labels_of(ChangeType::create, "facts.x", nullptr, value.c_str()).at("current");
}

TEST(AlertLabels, NameTheSystemAndTheChange) {
  const auto labels = labels_of(ChangeType::update, "facts.nodes.2.distro.version", R"("9.6")", R"("9.7")");
  const templates::Values expected = {
      {"system_id", "id-1"},
      {"system_key", "NETH-1"},
      {"system_name", "Office"},
      {"system_type", "ns8"},
      {"organization_id", "org-1"},
      {"system_fqdn", "office.example.org"},
      {"severity", "high"},
      {"organization_name", "Example"},
      {"category", "nodes"},
      {"path", "facts.nodes.2.distro.version"},
      {"change_type", "update"},
      {"what", "node 2 / distro / version"},
      {"previous", "9.6"},
      {"current", "9.7"},
      {"node", "2"},
      {"node_name", "2"},
  };
  EXPECT_EQ(labels, expected);
}

TEST(AlertLabels, WhatIsNotKnownHasTheNextBestName) {
  systems::System system;
  system.system_key = "NETH-1";
  system.organization_id = OrganizationId("owner");
  const auto labels = alert_labels(system, a_diff(ChangeType::delete_, "facts.x", "1", nullptr));
  EXPECT_THAT(labels, AllOf(Contains(Pair("system_name", "NETH-1")), Contains(Pair("system_type", "")),
                            Contains(Pair("organization_name", "owner")), Contains(Pair("current", ""))));
}

TEST(AlertLabels, ValuesAreReadable) {
  EXPECT_EQ(shown("true"), "true");
  EXPECT_EQ(shown("null"), "null");
  EXPECT_EQ(shown("12.50"), "12.50");
  EXPECT_EQ(shown(R"("caf\u00e9")"), "café");
  EXPECT_EQ(shown(R"(["a","b",3])"), "a, b, 3");
  EXPECT_EQ(shown("[]"), "none");
  EXPECT_EQ(shown("[1,2,3,4,5,6,7,8,9,10]"), "1, 2, 3, 4, 5, 6, 7, 8 and 2 more");
  EXPECT_EQ(shown(R"([{"a":1},{"a":2}])"), "2 entries");
  EXPECT_EQ(shown(R"({"a":1,"b":{"c":2},"d":"x"})"), "a 1, d x and 1 more");
  EXPECT_EQ(shown(R"({"b":{"c":2}})"), "1 entry");
}

TEST(AlertLabels, LongValuesAreCutBetweenCharacters) {
  std::string umlauts;
  for (int i = 0; i < 300; ++i) umlauts += "ü";
  const auto text = shown('"' + umlauts + '"');
  EXPECT_LE(text.size(), 300U);
  EXPECT_THAT(text, AllOf(StartsWith("üü"), EndsWith("ü…")));
}

TEST(AlertLabels, ScalarsOfAnObjectAreLabels) {
  const auto labels = labels_of(ChangeType::update, "facts.x", R"({"version":"1","deep":{"x":1},"on":false})",
                                R"({"version":"2","2fa":3})");
  EXPECT_THAT(labels, AllOf(Contains(Pair("previous_version", "1")), Contains(Pair("previous_on", "false")),
                            Contains(Pair("current_version", "2")), Contains(Pair("current_2fa", "3")),
                            Not(Contains(Key("previous_deep")))));
}

TEST(AlertLabels, AnObjectWithManyMembersHasABoundedNumber) {
  std::string object = "{";
  for (int i = 0; i < 5000; ++i) object += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":1";
  EXPECT_LT(labels_of(ChangeType::create, "facts.x", nullptr, (object + "}").c_str()).size(), 150U);
}

TEST(AlertLabels, NodesAndModulesHaveTheNamesThatPeopleGaveThem) {
  const auto name = [](const char* path, const char* label, const char* value) {
    return labels_of(ChangeType::delete_, path, value, nullptr).at(label);
  };
  EXPECT_EQ(name("facts.nodes.2", "node_name", R"({"ui_name":"Worker","fqdn":"w.example.org"})"),
            "2 (Worker)");
  EXPECT_EQ(name("facts.nodes.2", "node_name", R"({"ui_name":"","fqdn":"w.example.org"})"),
            "2 (w.example.org)");
  EXPECT_EQ(name("facts.nodes.2", "node_name", "{}"), "2");
  EXPECT_EQ(name("facts.nodes.Worker", "node_name", R"({"ui_name":"Worker"})"), "Worker");
  EXPECT_EQ(name("facts.modules.mail1", "module_name", R"({"ui_name":"","name":"Mail"})"), "mail1 (Mail)");
  EXPECT_EQ(name("facts.modules.mail1.filter", "module_name", R"({"name":"no module"})"), "mail1");
  EXPECT_EQ(labels_of(ChangeType::create, "facts.nodes.3", nullptr, R"({"ui_name":"New"})").at("node_name"),
            "3 (New)");
  EXPECT_THAT(labels_of(ChangeType::delete_, "facts.nodes", "{}", nullptr), Not(Contains(Key("node"))));
}

TEST(AlertLabels, PathsAreReadable) {
  const auto what = [](const char* path) { return labels_of(ChangeType::update, path, "1", "2").at("what"); };
  EXPECT_EQ(what("facts.features.firewall_stats.firewall.nat.snat"),
            "firewall stats / firewall / nat / snat");
  EXPECT_EQ(what("facts.modules.mail1.mailboxes_total_count"), "module mail1 / mailboxes total count");
  EXPECT_EQ(what("facts.nodes"), "nodes");
  EXPECT_EQ(what("facts"), "the whole inventory");
  EXPECT_EQ(what("$"), "the whole inventory");
  EXPECT_EQ(what("*"), "many values");
  EXPECT_EQ(what("uuid"), "uuid");
}

TEST(PlainSentence, SaysWhatChangedWhere) {
  EXPECT_EQ(plain_sentence(labels_of(ChangeType::update, "facts.timezone", R"("UTC")", R"("CET")")),
            "Timezone changed on Office from UTC to CET");
  EXPECT_EQ(plain_sentence(labels_of(ChangeType::update, "*", nullptr, R"({"folded":7})")),
            "Many values changed on Office: folded 7");
  EXPECT_EQ(plain_sentence(labels_of(ChangeType::create, "facts.nodes.2.pci", nullptr, "[{}]")),
            "Node 2 / pci is new on Office: 1 entry");
  EXPECT_EQ(plain_sentence(labels_of(ChangeType::delete_, "facts.features.ha", R"({"vips":2})", nullptr)),
            "Ha is gone from Office, it was vips 2");
}

TEST(FlappingSentence, SaysInWordsHowItIsNow) {
  const auto sentence = [](ChangeType type, const char* previous, const char* current) {
    auto labels = labels_of(type, "facts.modules.mail1", previous, current);
    labels["occurrences"] = "3";
    labels["window_hours"] = "24";
    return flapping_sentence(labels);
  };
  const char* const module = R"({"id":"mail1","name":"mail","node":1})";
  const std::string begin = "Office: module mail1 keeps changing, 3 times within 24 hours";
  EXPECT_EQ(sentence(ChangeType::update, "1", "2"), begin + ", now to 2");
  EXPECT_EQ(sentence(ChangeType::create, nullptr, module), begin + ", now it is there");
  EXPECT_EQ(sentence(ChangeType::delete_, module, nullptr), begin + ", now it is gone");
  EXPECT_EQ(sentence(ChangeType::update, "1", module), begin);
  EXPECT_EQ(sentence(ChangeType::update, module, "[1,2]"), begin + ", now to 1, 2");
}

TEST(AsMessage, IsOneLine) {
  EXPECT_EQ(as_message("  a\n\n b\tc\r\n"), "a b c");
  EXPECT_EQ(as_message(std::string("x\0y", 3)), "x y");
  EXPECT_EQ(as_message(" \n"), "");
}

TEST(AsMessage, IsBoundedBetweenCharacters) {
  const auto cut = as_message(std::string(1996, 'a') + "üüü");
  EXPECT_EQ(cut, std::string(1996, 'a') + "…");
  const std::string whole(kMaxMessageBytes, 'a');
  EXPECT_EQ(as_message(whole), whole);
}

}  // namespace
}  // namespace collect::alerts
