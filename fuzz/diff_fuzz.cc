// SPDX-License-Identifier: Apache-2.0
// diff/differ: two inventories, one a line. What was posted comes here as it is.
#include <algorithm>

#include "base/json.h"
#include "diff/differ.h"
#include "fuzz/fuzz.h"
#include "fuzz/plain_json.h"

namespace collect::fuzz {
namespace {

using diff::Change;
using diff::Comparison;
using diff::Rules;

Comparison compared(const Rules& rules, const json::Document& a, const json::Document& b,
                    std::string_view held = {}) {
  return diff::compare(rules, {.previous = a.root(), .current = b.root(), .held = held});
}

void hold_change(const Change& change, const Rules& rules) {
  hold(!change.category.empty(), "a change has a category");
  std::size_t characters = 0;
  for (const char c : change.field_path)
    characters += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  hold(characters <= rules.limits().max_field_path_length, "a path fits its column");
  hold(change.previous_value.has_value() == (change.type != diff::ChangeType::create),
       "what is new had no value");
  hold(change.current_value.has_value() == (change.type != diff::ChangeType::delete_),
       "what is gone has none");
  for (const auto* value : {&change.previous_value, &change.current_value})
    hold(!*value || is_storable_json(**value), "a value is JSON");
  hold(!change.reason.empty() || change.significant, "what is not told has its reason");
}

bool same(const Comparison& a, const Comparison& b) {
  const auto same_change = [](const Change& one, const Change& other) {
    return one.type == other.type && one.field_path == other.field_path && one.category == other.category &&
           one.severity == other.severity && one.significant == other.significant;
  };
  return a.held == b.held && std::ranges::equal(a.changes, b.changes, same_change);
}

}  // namespace

void run(std::string_view input) {
  static const Rules kRules = Rules::builtin();
  const auto first = json::Document::parse(take_part(input, '\n'));
  const auto second = json::Document::parse(take_part(input, '\n'));
  if (!first || !first->root().is_object()) return;
  const Comparison none = compared(kRules, *first, *first);
  hold(none.changes.empty() && none.held.empty(), "a document is like itself");
  if (!second || !second->root().is_object()) return;

  const Comparison there = compared(kRules, *first, *second);
  std::size_t significant = 0;
  for (const Change& change : there.changes) {
    hold_change(change, kRules);
    significant += change.significant ? 1 : 0;
  }
  hold(significant <= kRules.limits().max_diffs_per_run, "there are no more than may be told");
  if (json::equal(first->root(), second->root()))
    hold(there.changes.empty(), "equal documents do not differ");
  const auto first_again = json::Document::parse(json::to_text(first->root()));
  const auto second_again = json::Document::parse(json::to_text(second->root()));
  hold(first_again.ok() && second_again.ok(), "a document that is written anew can be read");
  hold(same(there, compared(kRules, *first_again, *second_again)), "how a document is written means nothing");

  // What was held back is what somebody stored; as it is here, or anything.
  const Comparison back = compared(kRules, *second, *first, there.held);
  for (const Change& change : back.changes) hold_change(change, kRules);
  compared(kRules, *second, *second, there.held);
  compared(kRules, *second, *first, input);
}

}  // namespace collect::fuzz
