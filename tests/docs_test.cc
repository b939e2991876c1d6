// SPDX-License-Identifier: Apache-2.0
// The documents name files and make targets that exist.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "support/process.h"

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

}  // namespace
}  // namespace collect::test
