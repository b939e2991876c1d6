// SPDX-License-Identifier: Apache-2.0
// Holds every #include under src/ to the two tables in HACKING.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "support/process.h"
#include "support/source_dir.h"

namespace collect::test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

using Words = std::set<std::string>;

struct Tables {
  std::map<std::string, Words> rooms;    // room -> rooms that it may include ("*": all)
  std::map<std::string, Words> clients;  // start of a third-party header -> rooms that may include it
};

// The names in one cell: `base`, `net` → {base, net}.
Words words(std::string_view cell) {
  Words result;
  for (std::size_t at = 0; (at = cell.find('`', at)) != std::string_view::npos;) {
    const auto end = cell.find('`', at + 1);
    if (end == std::string_view::npos) break;
    result.insert(std::string(cell.substr(at + 1, end - at - 1)));
    at = end + 1;
  }
  return result;
}

// The rows of the table whose header line starts with `| <title> |`: each name of the first column with the
// names of the second.
std::map<std::string, Words> table(const std::string& text, const std::string& title) {
  std::map<std::string, Words> rows;
  std::istringstream lines(text.substr(std::min(text.size(), text.find("| " + title + " |"))));
  std::string line;
  while (std::getline(lines, line) && line.starts_with("|")) {
    const auto middle = line.find('|', 1);
    const auto end = line.find('|', middle + 1);
    for (const auto& name : words(line.substr(0, middle)))
      rows[name] = words(line.substr(middle, end - middle));
  }
  return rows;
}

// The room of a path under src/; "" for a file that is in none.
std::string room_of(std::string_view path) {
  const auto slash = path.find('/');
  return slash == std::string_view::npos ? "" : std::string(path.substr(0, slash));
}

// Other rooms see a room's ports and values; what runs in it is only the wiring's business.
bool is_inner_part(std::string_view header) {
  for (const std::string_view end : {"_worker.h", "_api.h", "_monitor.h"}) {
    if (header.ends_with(end)) return true;
  }
  return false;
}

// What is wrong with that include in a file of `room`, or "".
std::string judge_own(const Tables& tables, const std::string& room, const std::string& header,
                      bool in_test) {
  const auto target = room_of(header);
  if (target.empty()) return "include paths are relative to src/, with the room first";
  if (target == "support" && in_test) return "";
  if (!tables.rooms.contains(target)) return target + " is no room of the table in HACKING.md";
  if (target == room) return "";
  const auto& allowed = tables.rooms.at(room);
  if (allowed.contains("*")) return "";
  if (!allowed.contains(target)) return room + " may not include " + target;
  if (is_inner_part(header)) return "only app may include another room's workers, handlers and monitors";
  return "";
}

std::string judge_client(const Tables& tables, const std::string& room, const std::string& header) {
  for (const auto& [start, allowed] : tables.clients) {
    if (header.starts_with(start) && !allowed.contains(room))
      return "<" + start + "…> belongs to another room";
  }
  return "";
}

std::vector<std::string> judge_file(const Tables& tables, const std::string& path, const std::string& text) {
  std::vector<std::string> complaints;
  const auto room = room_of(path);
  if (!tables.rooms.contains(room))
    return {"src/" + path + ":1: its folder is no room of the table in HACKING.md"};
  const bool in_test = path.ends_with("_test.cc");
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (!line.starts_with("#include ")) continue;
    const auto open = line.find_first_of("\"<");
    const auto close = line.find_first_of("\">", open + 1);
    if (open == std::string::npos || close == std::string::npos) continue;
    const auto header = line.substr(open + 1, close - open - 1);
    const auto complaint =
        line[open] == '"' ? judge_own(tables, room, header, in_test) : judge_client(tables, room, header);
    if (!complaint.empty())
      complaints.push_back("src/" + path + ":" + std::to_string(number) + ": " + complaint);
  }
  return complaints;
}

Tables read_tables() {
  const auto text = read_text(fs::path(COLLECT_SOURCE_DIR) / "HACKING.md");
  return {table(text, "room"), table(text, "header")};
}

TEST(RoomsTest, TheTableIsRead) {
  const auto tables = read_tables();
  ASSERT_TRUE(tables.rooms.contains("base"));
  EXPECT_THAT(tables.rooms.at("base"), IsEmpty());
  EXPECT_THAT(tables.rooms.at("net"), ElementsAre("base"));
  EXPECT_THAT(tables.rooms.at("app"), ElementsAre("*"));
  EXPECT_THAT(tables.clients.at("libpq-fe.h"), ElementsAre("backend"));
}

TEST(RoomsTest, ForbiddenIncludesAreFound) {
  const auto tables = read_tables();
  EXPECT_THAT(judge_file(tables, "net/server.cc", "#include <vector>\n\n#include \"queue/queue.h\"\n"),
              ElementsAre("src/net/server.cc:3: net may not include queue"));
  EXPECT_THAT(
      judge_file(tables, "backend/redis/queue.cc", "#include \"inventory/store_worker.h\"\n"),
      ElementsAre("src/backend/redis/queue.cc:1: only app may include another room's workers, handlers and "
                  "monitors"));
  EXPECT_THAT(judge_file(tables, "diff/differ.cc", "#include <libpq-fe.h>\n"),
              ElementsAre("src/diff/differ.cc:1: <libpq-fe.h…> belongs to another room"));
  EXPECT_THAT(judge_file(tables, "diff/differ.cc", "#include \"rules.h\"\n"),
              ElementsAre("src/diff/differ.cc:1: include paths are relative to src/, with the room first"));
  EXPECT_THAT(judge_file(tables, "attic/old.cc", ""),
              ElementsAre("src/attic/old.cc:1: its folder is no room of the table in HACKING.md"));
  EXPECT_THAT(judge_file(tables, "app/main.cc", "#include \"inventory/store_worker.h\"\n"), IsEmpty());
}

TEST(RoomsTest, EveryIncludeIsAllowed) {
  const auto tables = read_tables();
  const auto root = fs::path(COLLECT_SOURCE_DIR) / "src";
  std::vector<std::string> complaints;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const auto extension = entry.path().extension();
    if (extension != ".cc" && extension != ".h") continue;
    const auto found =
        judge_file(tables, fs::relative(entry.path(), root).generic_string(), read_text(entry.path()));
    complaints.insert(complaints.end(), found.begin(), found.end());
  }
  std::string all;
  for (const auto& complaint : complaints) all += complaint + "\n";
  EXPECT_EQ(all, "") << "see the tables in HACKING.md";
}

}  // namespace
}  // namespace collect::test
