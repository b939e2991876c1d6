// SPDX-License-Identifier: Apache-2.0
// The sample inventories, which lie beside the tree where they are at all: every step of every system and
// every edge case, against what a perfect differ says.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "diff/differ.h"
#include "support/source_dir.h"

namespace collect::diff {
namespace {

namespace fs = std::filesystem;

const fs::path kSamples = fs::path(COLLECT_SOURCE_DIR) / ".." / "shared" / "samples";

std::string read(const fs::path& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

json::Document document(const fs::path& path) {
  auto parsed = json::Document::parse(read(path));
  if (!parsed) throw std::runtime_error(path.string() + ": " + parsed.failure().message);
  return *std::move(parsed);
}

std::map<std::string, Change> told(const Comparison& comparison) {
  std::map<std::string, Change> told;
  for (const auto& change : comparison.changes) {
    if (!change.significant) continue;
    EXPECT_TRUE(told.emplace(change.field_path, change).second) << change.field_path << " is told twice";
  }
  return told;
}

// An edge case may describe a value that is too long to stand there.
bool described(const json::Value& value) {
  return value.is_string() &&
         (value.text.starts_with('<') || value.text.find("literal") != std::string_view::npos);
}

void expect_value(const json::Value* expected, const std::optional<std::string>& got,
                  const std::string& where) {
  ASSERT_EQ(expected != nullptr, got.has_value()) << where;
  if (expected == nullptr || described(*expected)) return;
  const auto value = json::Document::parse(*got);
  ASSERT_TRUE(value.ok()) << where;
  EXPECT_TRUE(json::equal(*expected, value->root()))
      << where << ": " << json::to_text(*expected) << " is not " << *got;
}

// The path by which an expected change is told, or "".
std::string path_told(const json::Value& change, const std::map<std::string, Change>& told) {
  for (const auto* key : {"path", "alt_path"}) {
    const auto* path = change.find(key);
    if (path != nullptr && told.contains(std::string(path->text))) return std::string(path->text);
  }
  return "";
}

void check(const Comparison& comparison, const json::Value& expected, const std::string& where) {
  const auto got = told(comparison);
  for (const auto& change : expected.find("changes")->elements) {
    const auto path = path_told(change, got);
    const auto here = where + ": " + std::string(change.find("path")->text);
    ASSERT_NE(path, "") << here << " is missing";
    const auto& found = got.at(path);
    EXPECT_EQ(to_string(found.type), change.find("type")->text) << here;
    expect_value(change.find("from"), found.previous_value, here + " from");
    expect_value(change.find("to"), found.current_value, here + " to");
  }
  for (const auto* key : {"must_not_report", "moved"}) {
    const auto* list = expected.find(key);
    if (list == nullptr) continue;
    for (const auto& item : list->elements)
      EXPECT_EQ(path_told(item, got), "") << where << ": must not be told";
  }
}

TEST(Samples, EveryStepOfEverySystem) {
  const auto rules = Rules::builtin();
  int steps = 0;
  for (const auto& entry : fs::directory_iterator(kSamples / "data")) {
    const auto name = entry.path().filename().string();
    const auto suffix = name.rfind("-0.json");
    if (suffix == std::string::npos) continue;
    auto previous = document(entry.path());
    std::string held;
    for (int step = 1;; ++step) {
      const auto stem = name.substr(0, suffix) + "-" + std::to_string(step);
      if (!fs::exists(kSamples / "data" / (stem + ".json"))) break;
      auto current = document(kSamples / "data" / (stem + ".json"));
      const auto expected = document(kSamples / "data" / (stem + ".expected.json"));
      auto comparison =
          compare(rules, {.previous = previous.root(), .current = current.root(), .held = held});
      check(comparison, expected.root(), stem);
      held = std::move(comparison.held);
      previous = std::move(current);
      ++steps;
    }
  }
  EXPECT_GT(steps, 0);
}

TEST(Samples, EveryEdgeCase) {
  const auto rules = Rules::builtin();
  int cases = 0;
  for (const auto& entry : fs::directory_iterator(kSamples / "edge")) {
    const auto name = entry.path().filename().string();
    const auto previous_text = read(entry.path() / "prev.json");
    const auto current_text = read(entry.path() / "curr.json");
    auto previous = json::Document::parse(previous_text);
    auto current = json::Document::parse(current_text);
    // What no engine can store is refused at the door; so is what is no object.
    if (!previous || !current || !current->root().is_object()) {
      EXPECT_TRUE(name.starts_with("09") || name.starts_with("1") || name.starts_with("34")) << name;
      continue;
    }
    const auto expected = document(entry.path() / "expected.json");
    const auto comparison = compare(
        rules, {.previous = previous->root(), .current = current->root(), .partial = Partial::report});
    check(comparison, expected.root(), name);
    std::size_t extra = told(comparison).size();
    EXPECT_EQ(extra, expected.root().find("changes")->elements.size()) << name;
    ++cases;
  }
  EXPECT_GT(cases, 0);
}

TEST(Samples, APartThatIsMissingOnceIsNotTold) {
  const auto rules = Rules::builtin();
  const auto folder = kSamples / "edge" / "31-sender-cluster-null";
  const auto previous = document(folder / "prev.json");
  const auto current = document(folder / "curr.json");
  const auto next = document(folder / "next.json");
  const auto first = compare(rules, {previous.root(), current.root()});
  EXPECT_TRUE(told(first).empty());
  const auto second =
      compare(rules, {.previous = current.root(), .current = next.root(), .held = first.held});
  EXPECT_TRUE(told(second).empty());
}

TEST(Samples, ThereAndBackIsTheInverse) {
  const auto rules = Rules::builtin();
  const auto folder = kSamples / "edge" / "22-revert-a-b-a";
  const auto previous = document(folder / "prev.json");
  const auto current = document(folder / "curr.json");
  const auto next = document(folder / "next.json");
  const auto there = told(compare(rules, {previous.root(), current.root()}));
  const auto back = told(compare(rules, {current.root(), next.root()}));
  ASSERT_EQ(there.size(), back.size());
  for (const auto& [path, change] : there) {
    EXPECT_EQ(change.previous_value, back.at(path).current_value);
    EXPECT_EQ(change.current_value, back.at(path).previous_value);
  }
}

}  // namespace
}  // namespace collect::diff
