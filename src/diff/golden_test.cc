// SPDX-License-Identifier: Apache-2.0
// tests/golden: each folder is a pair of documents (and perhaps a next one) with everything the built-in
// rules make of it, in order: the significant changes in full, the insignificant ones by path.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "diff/differ.h"
#include "support/source_dir.h"

namespace collect::diff {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

json::Document document(const std::filesystem::path& path) {
  auto parsed = json::Document::parse(read(path));
  if (!parsed) throw std::runtime_error(path.string() + ": " + parsed.failure().message);
  return *std::move(parsed);
}

std::string in_words(const Change& change) {
  json::Writer out;
  out.begin_object().member("category", change.category);
  if (change.previous_value) out.key("from").raw(*change.previous_value);
  out.member("path", change.field_path).member("severity", to_string(change.severity));
  if (change.current_value) out.key("to").raw(*change.current_value);
  out.member("type", to_string(change.type)).end_object();
  return std::move(out).text();
}

std::vector<std::string> told(const Comparison& comparison) {
  std::vector<std::string> texts;
  for (const auto& change : comparison.changes) {
    if (change.significant) texts.push_back(in_words(change));
  }
  return texts;
}

std::vector<std::string> silent(const Comparison& comparison) {
  std::vector<std::string> paths;
  for (const auto& change : comparison.changes) {
    if (!change.significant) paths.push_back(json::quote(change.field_path));
  }
  return paths;
}

std::vector<std::string> texts(const json::Value* list) {
  std::vector<std::string> texts;
  if (list == nullptr) return texts;
  for (const auto& item : list->elements) texts.push_back(json::to_text(item));
  return texts;
}

class Golden : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Golden, IsToldAsExpected) {
  const auto rules = Rules::builtin();
  const auto expected = document(GetParam() / "expected.json");
  const auto previous = document(GetParam() / "previous.json");
  const auto current = document(GetParam() / "current.json");
  const auto first = compare(rules, {previous.root(), current.root()});
  EXPECT_EQ(told(first), texts(expected.root().find("changes")));
  EXPECT_EQ(silent(first), texts(expected.root().find("insignificant")));
  if (const auto* next_changes = expected.root().find("next_changes")) {
    const auto next = document(GetParam() / "next.json");
    EXPECT_NE(first.held, "");
    const auto second =
        compare(rules, {.previous = current.root(), .current = next.root(), .held = first.held});
    EXPECT_EQ(told(second), texts(next_changes));
    EXPECT_EQ(second.held, "");
  } else {
    EXPECT_EQ(first.held, "");
  }
}

std::vector<std::filesystem::path> folders() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(COLLECT_SOURCE_DIR "/tests/golden")) {
    if (entry.is_directory()) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

INSTANTIATE_TEST_SUITE_P(Folders, Golden, testing::ValuesIn(folders()), [](const auto& param) {
  auto name = param.param.filename().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace collect::diff
