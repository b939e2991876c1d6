// SPDX-License-Identifier: Apache-2.0
#include "diff/differ.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/hash.h"
#include "diff/walk.h"

namespace collect::diff {
namespace {

// The path as it is stored: one that is too long keeps its beginning and ends in a mark of its own.
std::string stored_path(const std::string& path, std::size_t max_characters) {
  if (path.size() <= max_characters) return path;  // no more characters than bytes
  const auto starts_character = [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; };
  const auto characters = static_cast<std::size_t>(std::count_if(path.begin(), path.end(), starts_character));
  if (characters <= max_characters) return path;
  const auto mark = "...#" + to_hex(sha256(path)).substr(0, 12);
  std::size_t end = 0;
  for (std::size_t kept = 0; end < path.size(); ++end) {
    if (starts_character(path[end]) && ++kept > max_characters - mark.size()) break;
  }
  return path.substr(0, end) + mark;
}

std::optional<std::string> text_of(const json::Value* value) {
  return value == nullptr ? std::nullopt : std::optional(json::to_text(*value));
}

// Another machine under the same name: there is nothing to compare.
std::optional<Change> identity_change(const Rules& rules, const Question& question) {
  for (const auto& key : rules.identity()) {
    const auto* before = question.previous.find(key);
    const auto* now = question.current.find(key);
    if (before == nullptr || now == nullptr || before->is_null() || now->is_null()) continue;
    if (json::equal(*before, *now)) continue;
    return Change{ChangeType::update,
                  key,
                  "system",
                  Severity::critical,
                  text_of(before),
                  text_of(now),
                  true,
                  "identity: another machine reports, its inventory is a new start"};
  }
  return std::nullopt;
}

Change change_of(const Rules& rules, const Question& question, const Difference& difference) {
  auto path = stored_path(difference.shown_path, rules.limits().max_field_path_length);
  auto verdict = rules.judge(difference, path, question.last_changed, question.now);
  return Change{difference.type,
                std::move(path),
                std::move(verdict.category),
                verdict.severity,
                text_of(difference.previous),
                text_of(difference.current),
                verdict.significant,
                std::move(verdict.reason)};
}

Change summary_of(const std::vector<const Change*>& folded, std::size_t limit) {
  std::map<std::string_view, std::int64_t> categories;
  std::map<std::string_view, std::int64_t> severities;
  auto worst = Severity::low;
  for (const auto* change : folded) {
    ++categories[change->category];
    ++severities[to_string(change->severity)];
    worst = std::max(worst, change->severity);
  }
  json::Writer text;
  text.begin_object().member("folded", static_cast<std::int64_t>(folded.size()));
  text.key("by_category").begin_object();
  for (const auto& [category, count] : categories) text.member(category, count);
  text.end_object().key("by_severity").begin_object();
  for (const auto& [severity, count] : severities) text.member(severity, count);
  text.end_object().end_object();
  return Change{ChangeType::update,
                "*",
                "system",
                worst,
                std::nullopt,
                std::move(text).text(),
                true,
                fmt::format("max_diffs_per_run: {} changes beyond the limit of {}", folded.size(), limit)};
}

// Keeps the most severe significant changes, and one that counts the others.
void fold(std::vector<Change>& changes, std::size_t limit) {
  std::vector<std::size_t> significant;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (changes[i].significant) significant.push_back(i);
  }
  if (significant.size() <= limit) return;
  std::stable_sort(significant.begin(), significant.end(),
                   [&](std::size_t a, std::size_t b) { return changes[a].severity > changes[b].severity; });
  std::vector<const Change*> folded;
  std::vector<bool> drop(changes.size(), false);
  for (auto at = significant.begin() + static_cast<std::ptrdiff_t>(limit - 1); at != significant.end();
       ++at) {
    folded.push_back(&changes[*at]);
    drop[*at] = true;
  }
  auto summary = summary_of(folded, limit);
  std::vector<Change> kept;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (!drop[i]) kept.push_back(std::move(changes[i]));
  }
  kept.push_back(std::move(summary));
  changes = std::move(kept);
}

}  // namespace

Comparison compare(const Rules& rules, const Question& question) {
  Comparison comparison;
  if (auto change = identity_change(rules, question)) {
    comparison.changes.push_back(*std::move(change));
    return comparison;
  }
  auto bridged = bridge(rules.shapes(), rules.partial_reports(), question.previous, question.current,
                        question.held, question.partial);
  const auto differences =
      Walk(rules.shapes(), rules.limits().max_diff_depth).run(bridged.previous, bridged.current);
  comparison.changes.reserve(differences.size());
  for (const auto& difference : differences) {
    comparison.changes.push_back(change_of(rules, question, difference));
  }
  fold(comparison.changes, rules.limits().max_diffs_per_run);
  comparison.held = std::move(bridged.held);
  return comparison;
}

}  // namespace collect::diff
