// SPDX-License-Identifier: Apache-2.0
// base/json: what is accepted, and what becomes of it when it is read, written and read again.
#include <string>

#include "base/json.h"
#include "base/utf8.h"
#include "fuzz/fuzz.h"
#include "fuzz/plain_json.h"

namespace collect::fuzz {
namespace {

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void hold_sorted(const json::Value& value) {
  for (const auto& element : value.elements) hold_sorted(element);
  for (std::size_t i = 0; i < value.members.size(); ++i) {
    hold(i == 0 || value.members[i - 1].key < value.members[i].key, "members are sorted, each key once");
    hold(value.find(value.members[i].key) == &value.members[i].value, "a member is found by its key");
    hold_sorted(value.members[i].value);
  }
}

// Members as they are written, against those of the tree.
void hold_raw_members(std::string_view text, const json::Value& root) {
  const auto members = json::raw_members(text);
  hold(members.ok() == root.is_object(), "an object has raw members");
  if (!members) return;
  hold(members->size() >= root.members.size(), "no raw member is missing");
  for (auto member = members->begin(); member != members->end(); ++member) {
    hold(json::check(member->text).ok(), "a raw member is JSON of its own");
    bool last = true;
    for (auto other = member + 1; other != members->end(); ++other) last = last && other->key != member->key;
    const json::Value* value = root.find(member->key);
    hold(value != nullptr, "a raw member is in the tree");
    if (!last) continue;
    const auto parsed = json::Document::parse(member->text);
    hold(parsed.ok() && json::equal(parsed->root(), *value), "of several raw members the last one counts");
  }
}

}  // namespace

void run(std::string_view input) {
  const auto checked = json::check(input);
  hold(checked.ok() == is_storable_json(input), "a plain reader accepts the same texts");
  const auto document = json::Document::parse(input);
  hold(document.ok() == checked.ok(), "what is accepted is read");
  if (!document) {
    hold(checked.failure().kind == FailureKind::invalid, "what is refused is the text's fault");
    hold(is_utf8(checked.failure().message), "a refusal repeats no raw bytes");
    (void)json::Document::parse_checked(input);
    (void)json::raw_members(input);
    // NUL is JSON, but nothing that can be stored.
    hold(is_storable_json(json::quote(input)) == (input.find('\0') == std::string_view::npos),
         "any bytes can be quoted");
    return;
  }
  hold_sorted(document->root());
  hold_raw_members(input, document->root());
  const std::string written = json::to_text(document->root());
  const auto again = json::Document::parse(written);
  hold(again.ok(), "what is written is JSON");
  hold(json::equal(document->root(), again->root()), "what is written means the same");
  hold(json::to_text(again->root()) == written, "what is written is written again in the same way");
}

}  // namespace collect::fuzz
