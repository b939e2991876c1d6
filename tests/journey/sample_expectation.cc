// SPDX-License-Identifier: Apache-2.0
#include "journey/sample_expectation.h"

namespace collect::test {
namespace {

// Nodes may be spelt by number or by name.
bool is_path_of(const json::Value& entry, const DiffRow& diff) {
  const json::Value* alternative = entry.find("alt_path");
  return entry.find("path")->text == diff.path || (alternative != nullptr && alternative->text == diff.path);
}

// An edge case may describe a value that is too long to stand there.
bool described(const json::Value& value) {
  return value.is_string() && value.text.starts_with('<');
}

void expect_value(const json::Value* expected, const std::string& told, const std::string& where) {
  if (expected != nullptr && described(*expected)) return;
  const auto value = parsed(told);
  if (expected == nullptr) {
    EXPECT_TRUE(value.root().is_null()) << where << ": nothing expected, told " << told;
  } else {
    EXPECT_TRUE(json::equal(*expected, value.root()))
        << where << ": expected " << json::to_text(*expected) << ", told " << told;
  }
}

}  // namespace

void expect_told(const json::Value& expected, const std::vector<DiffRow>& told, const std::string& where) {
  for (const json::Value& change : expected.find("changes")->elements) {
    const std::string here = where + " " + text_of(change, "path");
    std::vector<const DiffRow*> found;
    for (const DiffRow& diff : told) {
      if (is_path_of(change, diff)) found.push_back(&diff);
    }
    EXPECT_EQ(found.size(), 1U) << here << ": told that often";
    if (found.empty()) continue;
    EXPECT_EQ(found.front()->type, text_of(change, "type")) << here;
    expect_value(change.find("from"), found.front()->from, here + " from");
    expect_value(change.find("to"), found.front()->to, here + " to");
  }
  for (const char* list : {"must_not_report", "moved"}) {
    const json::Value* entries = expected.find(list);
    if (entries == nullptr) continue;
    for (const json::Value& entry : entries->elements) {
      for (const DiffRow& diff : told) {
        EXPECT_FALSE(is_path_of(entry, diff)) << where << ": told " << diff.path << ", which is " << list;
      }
    }
  }
}

}  // namespace collect::test
