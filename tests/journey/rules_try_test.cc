// SPDX-License-Identifier: Apache-2.0
// An operator tries other rules over what is stored, while the service runs.
#include <gmock/gmock.h>

#include <fstream>

#include "journey/appliance.h"

namespace collect::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr int kUsage = 2;
constexpr int kNotFound = 3;

const std::string kNoise = "'(^|\\.)uptime_seconds$'";
const std::string kVersionRule =
    "{alert_type: version_changed, match: {path: '^facts\\.distro\\.version$'}, message: 'now {{.current}}'}";
const std::string kModuleRule =
    "{alert_type: module_seen, match: {category: modules, change_type: create}, severity: high}";

std::string config(const std::string& never_significant, const std::string& rules) {
  return "significance:\n  never_significant: [" + never_significant + "]\nnotifications:\n  rules: [" +
         rules + "]\n";
}

std::string inventory(const std::string& version, int uptime, const std::string& modules) {
  return R"({"installation":"nethserver","uuid":"1","facts":{"cluster":{"subscription":"x"},"distro":)"
         R"({"version":")" +
         version + R"("},"uptime_seconds":)" + std::to_string(uptime) + R"(,"modules":[)" + modules + "]}}";
}
const std::string kMail = R"({"id":"mail1","name":"mail","version":"1.0"})";
const std::string kWeb = R"({"id":"web2","name":"web","version":"1.0"})";

class RulesTry : public OnEachEngine {
 protected:
  RulesTry() {
    service_.settings()["COLLECT_CONFIG"] = file("config.yml", config(kNoise, kVersionRule));
    service_.start();
    box_ = std::make_unique<Appliance>(service_, service_.new_system("rl1"));
    // Changes: none; version; module, uptime (which is noise); back again, uptime.
    for (const auto& body : {inventory("8.6", 10, kMail), inventory("8.7", 10, kMail),
                             inventory("8.7", 20, kMail + "," + kWeb), inventory("8.6", 30, kMail)}) {
      box_->report(body);
    }
    EXPECT_TRUE(eventually([this] { return service_.metric("collect_changes_notified_total") >= 4; }))
        << "the changes were not told";
  }

  std::string file(const std::string& name, const std::string& text) {
    const auto path = service_.folder() / name;
    std::ofstream(path) << text;
    return path.string();
  }
  // Every row of every list that the command line shows.
  std::string all_rows() {
    const auto& key = box_->login().key;
    std::string rows;
    for (const auto& words : std::vector<std::vector<std::string>>{{"inventory", "history", key},
                                                                   {"inventory", "diffs", key},
                                                                   {"alerts", "list"},
                                                                   {"alerts", "deliveries"}}) {
      auto with_flags = words;
      with_flags.insert(with_flags.end(), {"--all", "--json"});
      rows += service_.cli_output(with_flags);
    }
    return rows;
  }
  json::Document tried(const std::string& yaml, std::vector<std::string> flags = {}) {
    flags.insert(flags.begin(), {"rules", "try", "--json", "--config", file("tried.yml", yaml)});
    return parsed(service_.cli_output(flags));
  }
  static std::vector<std::string> list(const json::Document& found, std::string_view of,
                                       std::string_view name) {
    std::vector<std::string> out;
    for (const auto& each : found.root().at({of, name})->elements) {
      out.push_back(text_of(each, of == "alerts" ? "alert_type" : "diff_type") + " " +
                    text_of(each, "field_path"));
    }
    return out;
  }
  static std::string number(const json::Document& found, std::string_view of, std::string_view name) {
    return std::string(found.root().at({of, name})->text);
  }

  Service service_{GetParam()};
  std::unique_ptr<Appliance> box_;
};
COLLECT_ON_EACH_ENGINE(RulesTry);

TEST_P(RulesTry, TheRulesInForceFindNothingElse) {
  const auto found = parsed(service_.cli_output({"rules", "try", "--json"}));
  EXPECT_EQ(text_of(found.root(), "systems"), "1");
  EXPECT_EQ(text_of(found.root(), "records"), "4");
  EXPECT_EQ(text_of(found.root(), "records_not_compared"), "0");
  EXPECT_EQ(number(found, "changes", "same"), "4");
  EXPECT_EQ(number(found, "alerts", "same"), "2");
  for (const auto* of : {"changes", "alerts"}) {
    for (const auto* name : {"new", "gone", "regraded"}) EXPECT_THAT(list(found, of, name), IsEmpty());
  }
  EXPECT_THAT(service_.cli_output({"rules", "try"}),
              AllOf(HasSubstr("over 4 records of 1 systems"), Not(HasSubstr("New "))));
}

TEST_P(RulesTry, ChangedRulesShowExactlyWhatComesAndGoes) {
  const std::string before = all_rows();
  const auto changed = config("'^facts\\.distro\\.'", kModuleRule);
  const auto found = tried(changed);
  EXPECT_THAT(list(found, "changes", "new"),
              ElementsAre("update facts.uptime_seconds", "update facts.uptime_seconds"));
  EXPECT_THAT(list(found, "changes", "gone"),
              ElementsAre("update facts.distro.version", "update facts.distro.version"));
  EXPECT_EQ(number(found, "changes", "same"), "2");
  EXPECT_EQ(number(found, "changes", "new_count"), "2");
  EXPECT_EQ(number(found, "changes", "gone_count"), "2");
  EXPECT_THAT(list(found, "alerts", "new"), ElementsAre("module_seen facts.modules.web2"));
  EXPECT_THAT(list(found, "alerts", "gone"),
              ElementsAre("version_changed facts.distro.version", "version_changed facts.distro.version"));
  const auto& gone = found.root().at({"changes", "gone"})->elements[0];
  EXPECT_EQ(text_of(gone, "system_key"), box_->login().key);
  EXPECT_EQ(text_of(gone, "previous_value"), "8.6");
  EXPECT_EQ(text_of(gone, "current_value"), "8.7");
  EXPECT_EQ(text_of(gone, "reason"), "never_significant: ^facts\\.distro\\.");
  EXPECT_EQ(text_of(found.root().at({"alerts", "new"})->elements[0], "severity"), "high");
  EXPECT_EQ(found.root().at({"alerts", "by_type", "version_changed", "gone_count"})->text, "2");

  const auto text = service_.cli_output({"rules", "try", "--config", file("tried.yml", changed)});
  EXPECT_THAT(text, AllOf(HasSubstr("2 ×"), HasSubstr("facts.distro.version  8.6 → 8.7"),
                          HasSubstr("never_significant"), HasSubstr("Alerts that are gone"),
                          HasSubstr("module_seen"), HasSubstr("rl1")));
  EXPECT_EQ(all_rows(), before) << "something was written";
}

TEST_P(RulesTry, OneRuleMoreAndOneLess) {
  const auto more = tried(config(kNoise, kVersionRule + ", " + kModuleRule));
  EXPECT_THAT(list(more, "alerts", "new"), ElementsAre("module_seen facts.modules.web2"));
  EXPECT_THAT(list(more, "alerts", "gone"), IsEmpty());
  EXPECT_EQ(number(more, "alerts", "same"), "2");
  EXPECT_EQ(number(more, "changes", "same"), "4");
  const auto less = tried(config(kNoise, ""));
  EXPECT_THAT(list(less, "alerts", "new"), IsEmpty());
  EXPECT_EQ(number(less, "alerts", "gone_count"), "2");
}

TEST_P(RulesTry, ListsAreCutAndCountsAreNot) {
  const auto found = tried(config("'.*'", ""), {"--limit", "1"});
  EXPECT_EQ(list(found, "changes", "gone").size(), 1U);
  EXPECT_EQ(number(found, "changes", "gone_count"), "4");
}

TEST_P(RulesTry, OnlyWhatWasAskedFor) {
  Appliance other(service_, service_.new_system("rl2"));
  other.report(inventory("8.6", 10, kMail));
  const auto everything = config("", "");
  EXPECT_EQ(text_of(tried(everything).root(), "records"), "5");
  EXPECT_EQ(text_of(tried(everything, {"--system", other.login().id}).root(), "records"), "1");
  EXPECT_EQ(text_of(tried(everything, {"--org", service_.organization()}).root(), "systems"), "2");
  EXPECT_EQ(service_.cli({"rules", "try", "--org", "another"}).exit_code, 3);
  EXPECT_EQ(text_of(tried(everything, {"--since", "0s"}).root(), "records"), "0");
  EXPECT_EQ(text_of(tried(everything, {"--since", "2199-01-02T03:04:05Z"}).root(), "records"), "0");
}

TEST_P(RulesTry, WhatIsWrongIsSaid) {
  const auto bad = service_.cli(
      {"rules", "try", "--config", file("bad.yml", "significance:\n  never_significant: ['(']\n")});
  EXPECT_EQ(bad.exit_code, kUsage);
  EXPECT_THAT(bad.err, AllOf(HasSubstr("bad.yml:2"), HasSubstr("never_significant")));
  EXPECT_EQ(service_.cli({"rules", "try", "--config", "/nonexistent/config.yml"}).exit_code, kUsage);
  EXPECT_EQ(service_.cli({"rules", "try", "--since", "yesterday"}).exit_code, kUsage);
  EXPECT_EQ(service_.cli({"rules", "try", "--system", "NETH-0000"}).exit_code, kNotFound);
}

}  // namespace
}  // namespace collect::test
