// SPDX-License-Identifier: Apache-2.0
#include "diff/differ.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

namespace collect::diff {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

json::Document parse(const std::string& text) {
  auto document = json::Document::parse(text);
  if (!document) throw std::runtime_error(document.failure().message);
  return *std::move(document);
}

Rules rules_of(std::string_view yaml) {
  auto rules = Rules::load(yaml, "test.yml");
  if (!rules) throw std::runtime_error(rules.failure().message);
  return *std::move(rules);
}

Comparison compare_texts(const Rules& rules, const std::string& a, const std::string& b,
                         const std::string& held = "") {
  const auto previous = parse(a);
  const auto current = parse(b);
  return compare(rules, {.previous = previous.root(), .current = current.root(), .held = held});
}

// "update path from>to" for each change.
std::vector<std::string> lines(const Comparison& comparison) {
  std::vector<std::string> out;
  for (const auto& change : comparison.changes) {
    out.push_back(std::string(to_string(change.type)) + " " + change.field_path + " " +
                  change.previous_value.value_or("") + ">" + change.current_value.value_or(""));
  }
  return out;
}

std::vector<std::string> lines(const std::string& a, const std::string& b) {
  static const auto rules = Rules::builtin();
  return lines(compare_texts(rules, a, b));
}

TEST(Differ, ComparesAnyTwoValues) {
  EXPECT_THAT(lines("1", "1.0"), IsEmpty());
  EXPECT_THAT(lines("1", "2"), ElementsAre("update $ 1>2"));
  EXPECT_THAT(lines("{}", "[]"), ElementsAre("update $ {}>[]"));
  EXPECT_THAT(lines("{}", "null"), ElementsAre("update $ {}>null"));
  EXPECT_THAT(lines(R"({"a":1,"facts":{"x":1}})", "{}"),
              ElementsAre("delete a 1>", R"(delete facts {"x":1}>)"));
  EXPECT_THAT(lines("[1,2]", "[2,1]"), ElementsAre("update $ [1,2]>[2,1]"));
  EXPECT_THAT(lines(R"([{"a":1}])", R"([{"a":2}])"), ElementsAre("update 0.a 1>2"));
}

TEST(Differ, IdentifiedElementsThatRepeatAreAligned) {
  EXPECT_THAT(lines(R"({"facts":{"modules":[{"id":"a","v":1},{"id":"a","v":2}]}})",
                    R"({"facts":{"modules":[{"id":"a","v":2},{"id":"a","v":3}]}})"),
              ElementsAre("update facts.modules.1.v 1>3"));
}

TEST(Differ, NumbersMayIdentify) {
  EXPECT_THAT(lines(R"({"facts":{"modules":[{"id":1,"v":1},{"id":2,"v":2}]}})",
                    R"({"facts":{"modules":[{"id":2,"v":2},{"id":1,"v":3}]}})"),
              ElementsAre("update facts.modules.1.v 1>3"));
}

TEST(Differ, MixedArraysAreOneValue) {
  EXPECT_THAT(lines(R"({"a":[1,{"b":1}]})", R"({"a":[1,{"b":2}]})"),
              ElementsAre(R"(update a [1,{"b":1}]>[1,{"b":2}])"));
  EXPECT_THAT(lines(R"({"a":[[1],[2]]})", R"({"a":[[2],[1]]})"), ElementsAre("update a [[1],[2]]>[[2],[1]]"));
  EXPECT_THAT(lines(R"({"a":[]})", R"({"a":[1]})"), ElementsAre("update a []>[1]"));
  EXPECT_THAT(lines(R"({"a":[]})", R"({"a":[{"b":1}]})"), ElementsAre(R"(create a.0 >{"b":1})"));
}

TEST(Differ, TheDepthLimitTellsTheWholeSubtree) {
  const auto rules = rules_of("limits: { max_diff_depth: 2 }");
  EXPECT_THAT(
      lines(compare_texts(rules, R"({"a":{"b":{"c":{"d":1}},"e":1}})", R"({"a":{"b":{"c":{"d":2}},"e":2}})")),
      ElementsAre(R"(update a.b {"c":{"d":1}}>{"c":{"d":2}})", "update a.e 1>2"));
}

TEST(Differ, TheDeepestDocumentIsFine) {
  std::string a;
  std::string b;
  for (std::size_t i = 0; i < json::kMaxDepth - 1; ++i) a += "{\"k\":";
  b = a + "2" + std::string(json::kMaxDepth - 1, '}');
  a += "1" + std::string(json::kMaxDepth - 1, '}');
  EXPECT_EQ(lines(a, b).size(), 1U);
  const auto deep = rules_of("limits: { max_diff_depth: 512 }");
  EXPECT_EQ(compare_texts(deep, a, b).changes.at(0).current_value, "2");
}

TEST(Differ, BeyondTheLimitTheMostSevereStayAndTheRestIsCounted) {
  const auto rules = rules_of("limits: { max_diffs_per_run: 4 }");
  const std::string node = R"({"nodes":{"1":{},"2":{"x":1}},"uptime_seconds":1,)";
  const auto comparison = compare_texts(
      rules,
      R"({"facts":)" + node + R"("modules":[{"id":"m1"}],"a":"1","b":"1","c":"1","kernel_version":"1"}})",
      R"({"facts":{"nodes":{"1":{}},"uptime_seconds":2,"modules":[],"a":"2","b":"2","c":"2","kernel_version":"2"}})");
  EXPECT_THAT(lines(comparison),
              ElementsAre(R"(update facts.kernel_version "1">"2")", R"(delete facts.modules.m1 {"id":"m1"}>)",
                          R"(delete facts.nodes.2 {"x":1}>)", "update facts.uptime_seconds 1>2",
                          R"(update * >{"folded":3,"by_category":{"system":3},"by_severity":{"low":3}})"));
  EXPECT_EQ(comparison.changes.back().severity, Severity::low);
  EXPECT_TRUE(comparison.changes.back().significant);
}

TEST(Differ, LongPathsAreCutAndStayDistinct) {
  const auto rules = rules_of("limits: { max_field_path_length: 40 }");
  std::string long_key;
  for (int i = 0; i < 39; ++i) long_key += "é";
  const auto comparison =
      compare_texts(rules, "{\"" + long_key + "\":1,\"" + long_key + "xy\":1,\"" + long_key + "xz\":1}",
                    "{\"" + long_key + "\":2,\"" + long_key + "xy\":2,\"" + long_key + "xz\":2}");
  ASSERT_EQ(comparison.changes.size(), 3U);
  const auto& first = comparison.changes[1].field_path;
  const auto& second = comparison.changes[2].field_path;
  EXPECT_EQ(comparison.changes[0].field_path, long_key);
  EXPECT_NE(first, second);
  const auto characters = std::count_if(
      first.begin(), first.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
  EXPECT_EQ(characters, 40);
  EXPECT_EQ(first.substr(0, 48), long_key.substr(0, 48));
  EXPECT_EQ(first.substr(48, 4), "...#");
}

TEST(Differ, DisplayNamesStandInPathsAndRulesSeeTheKey) {
  const auto rules = rules_of("display_names: { facts.nodes.*: ui_name, facts.modules.*: ui_name }");
  const auto comparison = compare_texts(
      rules,
      R"({"facts":{"modules":[{"id":"m1","ui_name":"Mail.1","v":1}],"nodes":{"1":{"ui_name":"Head","v":1},"2":{"ui_name":"","v":1},"3":{"ui_name":"Twin","v":1},"4":{"ui_name":"Twin"}}}})",
      R"({"facts":{"modules":[{"id":"m1","ui_name":"Mail.1","v":2}],"nodes":{"1":{"ui_name":"Head","v":2},"2":{"ui_name":"","v":2},"3":{"ui_name":"Twin","v":2}}}})");
  EXPECT_THAT(lines(comparison),
              ElementsAre("update facts.modules.Mail.1.v 1>2", "update facts.nodes.Head.v 1>2",
                          "update facts.nodes.2.v 1>2", "update facts.nodes.3.v 1>2",
                          R"(delete facts.nodes.4 {"ui_name":"Twin"}>)"));
  EXPECT_EQ(comparison.changes.back().severity, Severity::critical);
}

TEST(Differ, AnotherIdentityIsOneCriticalChangeAndHoldsNothing) {
  const auto rules = Rules::builtin();
  const auto comparison =
      compare_texts(rules, R"({"uuid":"a","installation":"x","facts":{"cluster":{"y":1}}})",
                    R"({"uuid":"b","installation":"z","facts":{"cluster":null,"new":1}})",
                    R"([{"path":["facts","nodes"],"value":{"1":{}}}])");
  EXPECT_THAT(lines(comparison), ElementsAre(R"(update uuid "a">"b")"));
  EXPECT_EQ(comparison.changes[0].severity, Severity::critical);
  EXPECT_TRUE(comparison.changes[0].significant);
  EXPECT_EQ(comparison.held, "");
  EXPECT_THAT(lines(R"({"installation":"x","f":1})", R"({"installation":"y","f":2})"),
              ElementsAre(R"(update installation "x">"y")"));
  EXPECT_THAT(lines(R"({"uuid":null,"f":1})", R"({"uuid":"b","f":2})"),
              ElementsAre("update f 1>2", R"(update uuid null>"b")"));
}

TEST(Differ, TimeFiltersAskForTheStoredPath) {
  const auto rules = rules_of("significance: { time_filters: [{ path: flapping, window_seconds: 60 }] }");
  const auto previous = parse(R"({"flapping":1,"other":1})");
  const auto current = parse(R"({"flapping":2,"other":2})");
  const Time now{std::chrono::seconds{1'000'000}};
  const LastChanged last = {{"flapping", now - std::chrono::seconds{5}}, {"other", now}};
  const auto comparison = compare(
      rules, {.previous = previous.root(), .current = current.root(), .last_changed = &last, .now = now});
  EXPECT_FALSE(comparison.changes.at(0).significant);
  EXPECT_EQ(comparison.changes.at(0).reason, "time_filters: flapping (changed 5 s ago, window 60 s)");
  EXPECT_TRUE(comparison.changes.at(1).significant);
}

// --- Properties of all documents, tried on random ones.

// Elements without identity are named by positions, which are others on the way back.
enum class Unnamed { sometimes, never };

class Documents {
 public:
  explicit Documents(unsigned seed, Unnamed unnamed = Unnamed::sometimes)
      : random_(seed), unnamed_(unnamed) {}

  std::string object(int depth) {
    std::string out = "{";
    const auto count = pick(6);
    for (int i = 0; i < count; ++i) {
      out += (i > 0 ? ",\"" : "\"") + std::string(1, static_cast<char>('a' + i + pick(2))) +
             "\":" + value(depth - 1);
    }
    return out + "}";
  }
  std::string value(int depth) {
    switch (depth > 0 ? pick(8) : pick(4)) {
      case 0:
        return std::to_string(pick(3));
      case 1:
        return pick(2) == 0 ? "true" : "null";
      case 2:
        return "\"s" + std::to_string(pick(3)) + "\"";
      case 3:
        return std::to_string(pick(3)) + ".0";
      case 4:
        return array(depth, [this](int d) { return value(d); });
      case 5:
        return array(depth, [this](int d) { return object(d); });
      default:
        return object(depth);
    }
  }
  // A report: identified modules, a set, and whatever else.
  std::string report(bool shuffled) {
    std::vector<std::string> modules;
    for (int i = 0; i < 5; ++i) {
      std::vector<std::string> names = {"\"x\"", "\"y\"", "\"z\""};
      if (shuffled) std::shuffle(names.begin(), names.end(), shuffle_);
      modules.push_back("{\"id\":\"m" + std::to_string(i) + "\",\"fqdns\":" + list(names) +
                        ",\"f\":" + object(3) + "}");
    }
    if (shuffled) std::shuffle(modules.begin(), modules.end(), shuffle_);
    return "{\"facts\":{\"modules\":" + list(modules) + ",\"rest\":" + object(4) + "}}";
  }

 private:
  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  static std::string list(const std::vector<std::string>& items) {
    std::string out = "[";
    for (const auto& item : items) out += (out.size() > 1 ? "," : "") + item;
    return out + "]";
  }
  template <class Make>
  std::string array(int depth, Make make) {
    std::vector<std::string> items;
    for (int i = pick(4); i > 0; --i)
      items.push_back(unnamed_ == Unnamed::never ? value(0) : make(depth - 1));
    return list(items);
  }

  std::mt19937 random_;
  Unnamed unnamed_;
  std::mt19937 shuffle_{7};
};

TEST(DifferProperty, NothingDiffersFromItself) {
  const auto rules = Rules::builtin();
  for (unsigned seed = 0; seed < 300; ++seed) {
    const auto text = Documents(seed).object(6);
    ASSERT_THAT(lines(compare_texts(rules, text, text)), IsEmpty()) << text;
  }
}

TEST(DifferProperty, TheOrderOfMatchedElementsIsNothing) {
  const auto rules = Rules::builtin();
  for (unsigned seed = 0; seed < 200; ++seed) {
    const auto plain = Documents(seed).report(false);
    const auto shuffled = Documents(seed).report(true);
    ASSERT_THAT(lines(compare_texts(rules, plain, shuffled)), IsEmpty()) << plain << '\n' << shuffled;
  }
}

TEST(DifferProperty, BackIsTheInverseOfThere) {
  const auto rules = Rules::builtin();
  const auto inverse = [](ChangeType type) {
    if (type == ChangeType::update) return type;
    return type == ChangeType::create ? ChangeType::delete_ : ChangeType::create;
  };
  for (unsigned seed = 0; seed < 300; ++seed) {
    const auto a = Documents(seed, Unnamed::never).report(false);
    const auto b = Documents(seed + 1000, Unnamed::never).report(false);
    const auto there = compare_texts(rules, a, b).changes;
    const auto back = compare_texts(rules, b, a).changes;
    ASSERT_EQ(there.size(), back.size());
    for (std::size_t i = 0; i < there.size(); ++i) {
      ASSERT_EQ(there[i].field_path, back[i].field_path);
      ASSERT_EQ(there[i].type, inverse(back[i].type));
      ASSERT_EQ(there[i].previous_value, back[i].current_value);
      ASSERT_EQ(there[i].current_value, back[i].previous_value);
    }
  }
}

// --- Sizes. Each would take minutes if a step were quadratic; the test's own time limit tells.

TEST(DifferSize, AHundredThousandMembers) {
  std::string a = "{\"facts\":{";
  std::string b = a;
  for (int i = 0; i < 100'000; ++i) {
    const auto key = (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":";
    a += key + "1";
    b += key + "2";
  }
  const auto rules = Rules::builtin();
  const auto comparison = compare_texts(rules, a + "}}", b + "}}");
  EXPECT_EQ(comparison.changes.size(), 1000U);
  EXPECT_EQ(comparison.changes.back().current_value,
            R"({"folded":99001,"by_category":{"system":99001},"by_severity":{"medium":99001}})");
}

TEST(DifferSize, AHugeKeyAroundManyChanges) {
  const std::string key(4U << 20U, 'k');
  std::string a = "{\"" + key + "\":{";
  std::string b = a;
  for (int i = 0; i < 20'000; ++i) {
    const auto member = (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":";
    a += member + "1";
    b += member + "2";
  }
  const auto rules = Rules::builtin();
  const auto comparison = compare_texts(rules, a + "}}", b + "}}");
  ASSERT_EQ(comparison.changes.size(), 1000U);
  std::set<std::string> paths;
  for (const auto& change : comparison.changes) {
    EXPECT_LE(change.field_path.size(), 500U);
    paths.insert(change.field_path);
  }
  EXPECT_EQ(paths.size(), 1000U);
}

TEST(DifferSize, TenThousandModulesThatAllLoseTheirFacts) {
  std::string whole = "{\"facts\":{\"modules\":[";
  std::string bare = whole;
  for (int i = 0; i < 10'000; ++i) {
    const auto start = (i > 0 ? ",{\"id\":\"m" : "{\"id\":\"m") + std::to_string(i) + "\",\"version\":\"1\"";
    whole += start + ",\"users\":1}";
    bare += start + "}";
  }
  whole += "]}}";
  bare += "]}}";
  const auto rules = Rules::builtin();
  const auto first = compare_texts(rules, whole, bare);
  EXPECT_THAT(first.changes, IsEmpty());
  EXPECT_THAT(compare_texts(rules, bare, whole, first.held).changes, IsEmpty());
  EXPECT_EQ(compare_texts(rules, bare, bare, first.held).changes.size(), 1000U);
}

TEST(DifferSize, AMegabyteOfText) {
  const std::string text(1U << 20U, 'x');
  const auto found =
      lines("{\"facts\":{\"note\":\"" + text + "a\"}}", "{\"facts\":{\"note\":\"" + text + "b\"}}");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].starts_with("update facts.note \"xxx"));
}

}  // namespace
}  // namespace collect::diff
