// SPDX-License-Identifier: Apache-2.0
#include "diff/differ.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/hash.h"
#include "diff/walk.h"

namespace collect::diff {
namespace {

// Insignificant changes are for people who try rules; nobody reads more of them.
constexpr std::size_t kMaxInsignificant = 10'000;

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

// Judges differences as they are found and keeps what the limits allow, however many there are.
class Collector {
 public:
  Collector(const Rules& rules, const Question& question) : rules_(rules), question_(question) {}

  void add(const Difference& difference) {
    auto path = stored_path(difference.shown_path, rules_.limits().max_field_path_length);
    auto verdict = rules_.judge(difference, path, question_.last_changed, question_.now);
    if (!verdict.significant && ++insignificant_ > kMaxInsignificant) return;
    if (verdict.significant) ++significant_;
    changes_.push_back(Change{difference.type, std::move(path), std::move(verdict.category), verdict.severity,
                              text_of(difference.previous), text_of(difference.current), verdict.significant,
                              std::move(verdict.reason)});
    // Twice the limit before the next look keeps this linear.
    if (significant_ > 2 * limit()) fold();
  }

  std::vector<Change> finish() && {
    if (significant_ > limit() || folded_ > 0) {
      fold();
      changes_.push_back(summary());
    }
    return std::move(changes_);
  }

 private:
  [[nodiscard]] std::size_t limit() const { return rules_.limits().max_diffs_per_run; }

  // Leaves the most severe significant changes, with room for the summary, and counts the others.
  void fold() {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      if (changes_[i].significant) order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
      return changes_[a].severity > changes_[b].severity;
    });
    std::vector<bool> drop(changes_.size(), false);
    for (std::size_t at = limit() - 1; at < order.size(); ++at) {
      const auto& change = changes_[order[at]];
      drop[order[at]] = true;
      ++folded_;
      ++categories_[change.category];
      ++severities_[std::string(to_string(change.severity))];
      worst_ = std::max(worst_, change.severity);
    }
    std::vector<Change> kept;
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      if (!drop[i]) kept.push_back(std::move(changes_[i]));
    }
    changes_ = std::move(kept);
    significant_ = std::min(significant_, limit() - 1);
  }

  [[nodiscard]] Change summary() const {
    json::Writer text;
    text.begin_object().member("folded", folded_).key("by_category").begin_object();
    for (const auto& [category, count] : categories_) text.member(category, count);
    text.end_object().key("by_severity").begin_object();
    for (const auto& [severity, count] : severities_) text.member(severity, count);
    text.end_object().end_object();
    return Change{ChangeType::update,
                  "*",
                  "system",
                  worst_,
                  std::nullopt,
                  std::move(text).text(),
                  true,
                  fmt::format("max_diffs_per_run: {} changes beyond the limit of {}", folded_, limit())};
  }

  const Rules& rules_;
  const Question& question_;
  std::vector<Change> changes_;
  std::size_t significant_ = 0;
  std::size_t insignificant_ = 0;
  std::int64_t folded_ = 0;
  std::map<std::string, std::int64_t> categories_;
  std::map<std::string, std::int64_t> severities_;
  Severity worst_ = Severity::low;
};

}  // namespace

Comparison compare(const Rules& rules, const Question& question) {
  Comparison comparison;
  if (auto change = identity_change(rules, question)) {
    comparison.changes.push_back(*std::move(change));
    return comparison;
  }
  auto bridged = bridge(rules.shapes(), rules.partial_reports(), question.previous, question.current,
                        question.held, question.partial);
  Collector collector(rules, question);
  Walk(rules.shapes(), rules.limits().max_diff_depth, [&](const Difference& each) {
    collector.add(each);
  }).run(bridged.previous, bridged.current);
  comparison.changes = std::move(collector).finish();
  comparison.held = std::move(bridged.held);
  return comparison;
}

}  // namespace collect::diff
