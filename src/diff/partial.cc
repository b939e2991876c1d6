// SPDX-License-Identifier: Apache-2.0
#include "diff/partial.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <optional>

namespace collect::diff {
namespace {

using json::Member;
using json::Value;

// What to put where: a tree along the documents' keys and ids, so that many parts go in by one copy of their
// parents.
struct Parts {
  std::map<std::string, Parts, std::less<>> children;
  const Value* whole = nullptr;
  std::vector<Member> members;  // sorted, put beside those that are there

  Parts& at(const std::vector<std::string>& path) {
    Parts* parts = this;
    for (const auto& segment : path) parts = &parts->children[segment];
    return *parts;
  }
  [[nodiscard]] const Parts* find(std::string_view segment) const {
    const auto found = children.find(segment);
    return found == children.end() ? nullptr : &found->second;
  }
};

bool nothing(const Value* value) {
  return value == nullptr || value->is_null() || (value->is_array() && value->elements.empty()) ||
         (value->is_object() && value->members.empty());
}

}  // namespace

struct Bridged::Storage {
  std::optional<json::Document> held;
  Parts held_parts;  // its keys are pointed into, as are those of `missing`
  Parts missing;
  std::deque<std::vector<Member>> members;
  std::deque<std::vector<Value>> elements;
};

namespace {

// Copies what lies on the way to the parts, and nothing else.
class Putter {
 public:
  Putter(const Shapes& shapes, Bridged::Storage& storage) : shapes_(shapes), storage_(storage) {}

  Value put(const Value& into, const Parts& parts, const Shapes::Place& place) {
    if (parts.whole != nullptr) return *parts.whole;
    if (into.is_object()) return put_members(into, parts, place);
    if (into.is_array()) return put_elements(into, parts, place);
    return into;
  }

 private:
  Value put_members(const Value& into, const Parts& parts, const Shapes::Place& place) {
    auto& members = storage_.members.emplace_back(into.members.begin(), into.members.end());
    const auto by_key = [](const Member& a, const Member& b) { return a.key < b.key; };
    for (const auto& member : parts.members) {
      if (into.find(member.key) == nullptr) members.push_back(member);
    }
    for (const auto& [key, part] : parts.children) {
      if (part.whole != nullptr && into.find(key) == nullptr) members.push_back({key, *part.whole});
    }
    std::sort(members.begin(), members.end(), by_key);
    for (const auto& [key, part] : parts.children) {
      const auto at = std::lower_bound(members.begin(), members.end(), Member{key, {}}, by_key);
      if (at != members.end() && at->key == key) at->value = put(at->value, part, shapes_.step(place, key));
    }
    Value result = into;
    result.text = {};  // it is no longer what its source said
    result.members = members;
    return result;
  }

  Value put_elements(const Value& into, const Parts& parts, const Shapes::Place& place) {
    const auto* id_key = shapes_.id_key(place);
    if (id_key == nullptr) return into;
    auto& elements = storage_.elements.emplace_back(into.elements.begin(), into.elements.end());
    for (auto& element : elements) {
      const auto* id = element.find(*id_key);
      const auto* part = id == nullptr ? nullptr : parts.find(id->text);
      if (part != nullptr) element = put(element, *part, shapes_.step(place, id->text));
    }
    Value result = into;
    result.text = {};
    result.elements = elements;
    return result;
  }

  const Shapes& shapes_;
  Bridged::Storage& storage_;
};

// Goes through both documents along one rule's shape and collects the parts that are missing from the current
// one.
class Search {
 public:
  Search(const Shapes& shapes, const PartialRule& rule, const Parts& held, Parts& missing, json::Writer& out)
      : shapes_(shapes), rule_(rule), held_(held), missing_(missing), out_(out) {}

  void run(const Value& previous, const Value& current) {
    if (!written_alike(previous, current)) look(&previous, &current, shapes_.root());
  }

 private:
  // Nothing is missing then.
  static bool written_alike(const Value& previous, const Value& current) {
    return !previous.text.empty() && previous.text == current.text;
  }

  void look(const Value* previous, const Value* current, const Shapes::Place& place) {
    if (path_.size() == rule_.shape.size()) return judge(*previous, current);
    // Without its parent a part is not missing: the parent is gone, and that is told.
    if (nothing(previous) || current == nullptr || previous->type != current->type) return;
    const auto& segment = rule_.shape[path_.size()];
    if (previous->is_object()) {
      for (const auto& [key, value] : previous->members) {
        if (segment == "*" || segment == key) step(key, value, current->find(key), place);
      }
    } else if (const auto* id_key = shapes_.id_key(place); id_key != nullptr && previous->is_array()) {
      look_in_array(*previous, *current, *id_key, place);
    }
  }

  void look_in_array(const Value& previous, const Value& current, std::string_view id_key,
                     const Shapes::Place& place) {
    const auto before = identified(previous, id_key);
    const auto now = identified(current, id_key);
    if (!before || !now) return;
    const auto& segment = rule_.shape[path_.size()];
    for (const auto& [id, element] : *before) {
      if (segment != "*" && segment != id) continue;
      const auto same =
          std::lower_bound(now->begin(), now->end(), id,
                           [](const Identified& each, std::string_view key) { return each.id < key; });
      if (same != now->end() && same->id == id) step(id, *element, same->element, place);
    }
  }

  void step(std::string_view key, const Value& previous, const Value* current, const Shapes::Place& place) {
    if (current != nullptr && written_alike(previous, *current)) return;
    path_.emplace_back(key);
    look(&previous, current, shapes_.step(place, key));
    path_.pop_back();
  }

  void judge(const Value& previous, const Value* current) {
    if (rule_.except.empty()) {
      if (!nothing(&previous) && nothing(current)) hold_whole(previous);
    } else if (current != nullptr && previous.is_object() && current->is_object()) {
      const auto before = own_members(previous);
      if (!before.empty() && own_members(*current).empty()) hold_members(before);
    }
  }

  [[nodiscard]] std::vector<Member> own_members(const Value& object) const {
    std::vector<Member> own;
    std::copy_if(object.members.begin(), object.members.end(), std::back_inserter(own),
                 [this](const Member& m) {
                   return std::find(rule_.except.begin(), rule_.except.end(), m.key) == rule_.except.end();
                 });
    return own;
  }

  [[nodiscard]] const Parts* held_here() const {
    const Parts* parts = &held_;
    for (const auto& segment : path_) {
      if (parts != nullptr) parts = parts->find(segment);
    }
    return parts;
  }

  void hold_whole(const Value& value) {
    // Missing for the second time: confirmed, so it stays missing and is told.
    if (const auto* before = held_here(); before != nullptr && before->whole != nullptr) return;
    missing_.at(path_).whole = &value;
    write_path();
    out_.key("value").raw(json::to_text(value)).end_object();
  }

  void hold_members(const std::vector<Member>& members) {
    if (const auto* before = held_here(); before != nullptr && !before->members.empty()) return;
    missing_.at(path_).members = members;
    write_path();
    out_.key("members").begin_object();
    for (const auto& [key, value] : members) out_.key(key).raw(json::to_text(value));
    out_.end_object().end_object();
  }

  void write_path() {
    out_.begin_object().key("path").begin_array();
    for (const auto& segment : path_) out_.value(segment);
    out_.end_array();
  }

  const Shapes& shapes_;
  const PartialRule& rule_;
  const Parts& held_;
  Parts& missing_;
  json::Writer& out_;
  std::vector<std::string> path_;
};

Parts read_held(const Value& held) {
  Parts parts;
  for (const auto& item : held.elements) {
    const auto* path = item.find("path");
    if (path == nullptr || path->elements.empty()) continue;
    std::vector<std::string> segments;
    for (const auto& segment : path->elements) segments.emplace_back(segment.text);
    if (const auto* value = item.find("value")) parts.at(segments).whole = value;
    if (const auto* members = item.find("members")) {
      parts.at(segments).members.assign(members->members.begin(), members->members.end());
    }
  }
  return parts;
}

}  // namespace

Bridged bridge(const Shapes& shapes, const std::vector<PartialRule>& rules, const Value& previous,
               const Value& current, std::string_view held, Partial partial) {
  auto storage = std::make_shared<Bridged::Storage>();
  Bridged bridged{previous, current, {}, storage};
  Putter putter(shapes, *storage);
  if (!held.empty()) {
    if (auto document = json::Document::parse(held)) {
      storage->held = *std::move(document);
      storage->held_parts = read_held(storage->held->root());
      bridged.previous = putter.put(previous, storage->held_parts, shapes.root());
    }
  }
  if (partial == Partial::report) return bridged;
  auto& missing = storage->missing;
  json::Writer out;
  out.begin_array();
  for (const auto& rule : rules) {
    Search(shapes, rule, storage->held_parts, missing, out).run(bridged.previous, current);
  }
  out.end_array();
  if (missing.children.empty()) return bridged;
  bridged.current = putter.put(current, missing, shapes.root());
  bridged.held = std::move(out).text();
  return bridged;
}

}  // namespace collect::diff
