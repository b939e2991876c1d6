// SPDX-License-Identifier: Apache-2.0
// The documents name files, make targets and tests that exist.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "support/process.h"
#include "support/source_dir.h"

namespace collect::test {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = COLLECT_SOURCE_DIR;

std::vector<fs::path> documents() {
  std::vector<fs::path> found = {kRoot / "README.md", kRoot / "HACKING.md"};
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "docs")) {
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  }
  return found;
}

// The first group of every match.
std::set<std::string> matches(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::set<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), regex), end; match != end; ++match) {
    found.insert((*match)[1]);
  }
  return found;
}

TEST(DocsTest, SourcesThatTheJourneyNamesExist) {
  const auto sources = matches(read_text(kRoot / "docs/journey.md"), R"(`([a-z_]+/[a-z_/]+\.(?:h|cc))`)");
  EXPECT_GE(sources.size(), 20U);
  for (const auto& source : sources)
    EXPECT_TRUE(fs::exists(kRoot / "src" / source)) << "docs/journey.md names " << source;
}

// Who searches the log for what docs/operations.md tells has to find it.
TEST(DocsTest, SymptomsAreThoseOfTheProgram) {
  std::string sources;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "src")) {
    const auto extension = entry.path().extension();
    if (extension == ".cc" || extension == ".h") sources += read_text(entry.path());
  }
  sources = std::regex_replace(sources, std::regex("\"\\s*\n\\s*\""), "");  // literals that go on
  std::string table = read_text(kRoot / "docs/operations.md");
  table.erase(0, table.find("## When something is wrong"));
  const auto events = matches(table, "`([a-z]+(?:_[a-z]+)+)`");
  EXPECT_GE(events.size(), 10U);
  for (const auto& event : events) {
    EXPECT_NE(sources.find('"' + event + '"'), std::string::npos) << "nothing logs " << event;
  }
  const auto messages = matches(table, "\"([^\"\n]+)\"");
  EXPECT_GE(messages.size(), 5U);
  for (const auto& message : messages) {
    EXPECT_NE(sources.find(message), std::string::npos) << "nothing says \"" << message << '"';
  }
}

TEST(DocsTest, LinksLeadSomewhere) {
  for (const auto& document : documents()) {
    for (const auto& target : matches(read_text(document), R"(\]\(([^)#:]+)\))")) {
      EXPECT_TRUE(fs::exists(document.parent_path() / target)) << document << " links to " << target;
    }
  }
}

TEST(DocsTest, MakeTargetsExist) {
  const auto targets = matches(read_text(kRoot / "Makefile"), R"(\n([a-z-]+):)");
  for (const auto& document : documents()) {
    for (const auto& target : matches(read_text(document), R"([`\n]make ([a-z-]+)[`\n ])")) {
      EXPECT_TRUE(targets.contains(target)) << document << " says make " << target;
    }
  }
}

// "program: Suite.Name", wherever a promise says who stands behind it.
std::vector<std::pair<std::string, std::string>> tests_named_in(const std::string& text) {
  static const std::regex kNamed(R"(`([a-z0-9_]+): ([A-Za-z0-9]+\.[A-Za-z0-9]+)`)");
  std::vector<std::pair<std::string, std::string>> found;
  for (std::sregex_iterator match(text.begin(), text.end(), kNamed), end; match != end; ++match) {
    found.emplace_back((*match)[1], (*match)[2]);
  }
  return found;
}

// The tests of each program: those of a room are in its folder, others in the sources that collect_test()
// lists. Lists that CMake puts together first are read from where they are set.
std::map<std::string, std::set<std::string>> tests_by_program() {
  static const std::regex kTest(R"((?:^|\n)TEST(?:_F|_P)?\((\w+),\s*(\w+)\))");
  static const std::regex kRoom(R"(collect_room\((\w+))");
  static const std::regex kProgram(R"(collect_test\((\w+) SOURCES ([^)]*))");
  static const std::regex kList(R"((?:set|list)\((?:APPEND )?(\w+) ([^)]*)\))");
  std::map<std::string, std::set<std::string>> found;
  const auto note = [&](const std::string& program, const fs::path& source) {
    const std::string text = read_text(source);
    for (std::sregex_iterator match(text.begin(), text.end(), kTest), end; match != end; ++match) {
      found[program].insert((*match)[1].str() + "." + (*match)[2].str());
    }
  };
  for (const char* tree : {"src", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / tree)) {
      if (entry.path().filename() != "CMakeLists.txt") continue;
      const fs::path folder = entry.path().parent_path();
      const std::string text = read_text(entry.path());
      for (std::sregex_iterator match(text.begin(), text.end(), kRoom), end; match != end; ++match) {
        for (const auto& file : fs::recursive_directory_iterator(folder)) {
          if (file.path().string().ends_with("_test.cc")) note((*match)[1].str() + "_test", file.path());
        }
      }
      std::map<std::string, std::string> lists;
      for (std::sregex_iterator match(text.begin(), text.end(), kList), end; match != end; ++match) {
        lists[(*match)[1]] += " " + (*match)[2].str();
      }
      for (std::sregex_iterator match(text.begin(), text.end(), kProgram), end; match != end; ++match) {
        std::string sources = (*match)[2];
        for (const auto& [name, content] : lists) {
          if (sources.find("${" + name + "}") != std::string::npos) sources += content;
        }
        for (const auto& source : matches(sources, R"(([\w./-]+\.cc))")) note((*match)[1], folder / source);
      }
    }
  }
  return found;
}

TEST(DocsTest, BehindEachPromiseStandsATestThatExists) {
  const std::string text = read_text(kRoot / "docs/promises.md");
  const auto programs = tests_by_program();
  const auto named = tests_named_in(text);
  EXPECT_GE(named.size(), 50U);
  for (const auto& [program, test] : named) {
    const auto found = programs.find(program);
    ASSERT_NE(found, programs.end()) << "docs/promises.md names the program " << program;
    EXPECT_TRUE(found->second.contains(test)) << "docs/promises.md: " << program << " has no " << test;
  }
  // Each item of a list and each row of a table is a promise.
  std::vector<std::string> promises;
  bool in_item = false;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const bool begins = line.starts_with("- ") || (line.starts_with("| ") && !line.starts_with("| fault "));
    if (begins) promises.push_back(line);
    if (!begins && in_item && line.starts_with("  ")) promises.back() += "\n" + line;
    in_item = begins || (in_item && line.starts_with("  "));
  }
  EXPECT_GE(promises.size(), 40U);
  for (const auto& promise : promises)
    EXPECT_FALSE(tests_named_in(promise).empty()) << "no test: " << promise;
}

}  // namespace
}  // namespace collect::test
