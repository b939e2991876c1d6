// SPDX-License-Identifier: Apache-2.0
// diff/rules, inventory/derive, alerts/notification_rules: a config.yml.
#include <charconv>
#include <string>

#include "alerts/notification_rules.h"
#include "base/json.h"
#include "diff/config_entry.h"
#include "diff/differ.h"
#include "diff/rules.h"
#include "fuzz/fuzz.h"
#include "inventory/derive.h"

namespace collect::fuzz {
namespace {

constexpr std::string_view kOrigin = "config.yml";

// "config.yml:12: …" -> 12, and what follows.
std::pair<int, std::string> place_of(const std::string& message) {
  hold(message.starts_with(kOrigin), "what is wrong is said of the file");
  std::string_view rest = std::string_view(message).substr(kOrigin.size());
  int line = 0;
  if (rest.starts_with(':') && rest.size() > 1 && rest[1] != ' ') {
    const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), line);
    hold(error == std::errc() && line > 0, "a line is a number from 1 on");
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  }
  return {line, std::string(rest)};
}

// The same file with a line of comment before it means the same, and what is wrong with it is one line down.
template <class T>
bool hold_shifted(const Result<T>& read, const Result<T>& shifted) {
  hold(read.ok() == shifted.ok(), "a comment changes nothing");
  if (read) return true;
  hold(read.failure().kind == FailureKind::invalid, "what is refused is the file's fault");
  const auto [line, text] = place_of(read.failure().message);
  const auto [line_below, text_below] = place_of(shifted.failure().message);
  hold(text == text_below, "a comment changes no message");
  hold(line == 0 ? line_below == 0 : line_below == line + 1, "a message names the line");
  return false;
}

const json::Document& document(std::string_view text) {
  static std::map<std::string_view, json::Document> documents;
  auto found = documents.find(text);
  if (found == documents.end())
    found = documents.emplace(text, json::Document::parse_checked(text).value()).first;
  return found->second;
}

void hold_rules(const diff::Rules& rules, const diff::Rules& same) {
  hold(rules.longest_time_filter() >= Duration(0), "no filter looks ahead");
  hold(rules.limits().max_diff_depth >= 1 && rules.limits().max_field_path_length >= 32, "limits are sane");
  const auto& before = document(R"({"facts":{"modules":[{"id":"mail1","version":"1"}],"memory":{"a":100}}})");
  const auto& after =
      document(R"({"facts":{"modules":[{"id":"mail1","version":"2"}],"memory":{"a":150}},"x":[1]})");
  for (const char* path : {"facts.modules.mail1.version", "facts.memory.a", "x"}) {
    for (const auto type : {diff::ChangeType::create, diff::ChangeType::update, diff::ChangeType::delete_}) {
      const diff::Difference difference{type, path, path, &before.root(), &after.root()};
      const auto verdict = rules.judge(difference, path, nullptr, Time());
      const auto again = same.judge(difference, path, nullptr, Time());
      hold(!verdict.category.empty() && !verdict.reason.empty(), "a change has a category and a reason");
      hold(verdict.category == again.category && verdict.severity == again.severity &&
               verdict.significant == again.significant && verdict.reason == again.reason,
           "one file judges the same every time");
    }
  }
}

}  // namespace

void run(std::string_view input) {
  // Another file would be read.
  if (input.find("_file") != std::string_view::npos) return;
  // What is no YAML costs little, and is most of what comes.
  try {
    const auto entry = diff::ConfigEntry::parse(input, kOrigin);
  } catch (const diff::BadConfig& error) {
    place_of(error.what());
    hold(!diff::Rules::load(input, kOrigin).ok(), "what is no YAML is refused");
    return;
  }
  // A byte order mark and what tells another encoding stand at the very beginning.
  const bool plain = !input.empty() && static_cast<unsigned char>(input.front()) < 0x7F &&
                     input.front() != '\0' && (input.size() < 2 || input[1] != '\0');
  const std::string shifted = (plain ? "# a comment\n" : "") + std::string(input);
  if (!plain) return;

  const auto rules = diff::Rules::load(input, kOrigin);
  const auto rules_below = diff::Rules::load(shifted, kOrigin);
  if (hold_shifted(rules, rules_below)) hold_rules(*rules, *rules_below);
  const auto applications = inventory::ApplicationRules::load(input, kOrigin);
  if (hold_shifted(applications, inventory::ApplicationRules::load(shifted, kOrigin)))
    hold(applications->url_pattern.size() <= input.size() + 4096, "a pattern is what is written");
  const auto notifications = alerts::NotificationRules::load(input, kOrigin);
  const auto notifications_below = alerts::NotificationRules::load(shifted, kOrigin);
  if (!hold_shifted(notifications, notifications_below)) return;
  hold(notifications->channels() == notifications_below->channels(),
       "one file has the same channels every time");
  hold(notifications->channels().contains("log"), "there is always the log");
  for (const auto& name : notifications->link_failed_channels())
    hold(notifications->channels().contains(name), "what is told is told to channels that are there");
  systems::System system;
  system.name = "a";
  hold(!notifications->link_failed(system).message.empty(), "a silent system has a message");
}

}  // namespace collect::fuzz
