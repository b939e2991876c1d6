// SPDX-License-Identifier: Apache-2.0
#include "diff/walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "diff/arrays.h"

namespace collect::diff {
namespace {

// Walks two lists that are sorted by `key_of`, side by side.
template <class List, class KeyOf, class Visit>
void merge(const List& a, const List& b, KeyOf key_of, Visit visit) {
  auto i = a.begin();
  auto j = b.begin();
  while (i != a.end() || j != b.end()) {
    const int order = i == a.end() ? 1 : j == b.end() ? -1 : key_of(*i).compare(key_of(*j));
    visit(order <= 0 ? &*i : nullptr, order >= 0 ? &*j : nullptr);
    if (order <= 0) ++i;
    if (order >= 0) ++j;
  }
}

bool all_objects(const json::Value& array) {
  return std::all_of(array.elements.begin(), array.elements.end(),
                     [](const json::Value& element) { return element.is_object(); });
}

}  // namespace

// What the children of one place are shown as: their display name where it is a text that no sibling has too.
class Walk::Names {
 public:
  Names(const Shapes& shapes, const Shapes::Place& parent)
      : shapes_(shapes), parent_(parent), active_(shapes.shows_children(parent)) {}

  void count(std::string_view key, const json::Value* a, const json::Value* b) {
    if (active_) ++uses_[name(key, a, b)];
  }
  [[nodiscard]] std::string_view shown(std::string_view key, const json::Value* a,
                                       const json::Value* b) const {
    if (!active_) return key;
    const auto candidate = name(key, a, b);
    const auto uses = uses_.find(candidate);
    return uses != uses_.end() && uses->second > 1 ? key : candidate;
  }
  [[nodiscard]] bool active() const { return active_; }

 private:
  [[nodiscard]] std::string_view name(std::string_view key, const json::Value* a,
                                      const json::Value* b) const {
    const auto* shown_key = shapes_.shown_key(shapes_.step(parent_, key));
    if (shown_key == nullptr) return key;
    const auto* value = (b != nullptr ? b : a)->find(*shown_key);
    return value != nullptr && value->is_string() && !value->text.empty() ? value->text : key;
  }

  const Shapes& shapes_;
  const Shapes::Place& parent_;
  bool active_;
  std::unordered_map<std::string_view, int> uses_;
};

void Walk::compare(const json::Value& a, const json::Value& b, const Shapes::Place& place) {
  const bool same_kind = a.type == b.type && a.is_container();
  if (!same_kind || path_.size() >= max_depth_) {
    if (!json::equal(a, b)) found(ChangeType::update, &a, &b);
  } else if (a.is_object()) {
    compare_objects(a, b, place);
  } else {
    compare_arrays(a, b, place);
  }
}

void Walk::compare_objects(const json::Value& a, const json::Value& b, const Shapes::Place& place) {
  const auto key_of = [](const json::Member& member) { return member.key; };
  const auto value_of = [](const json::Member* member) {
    return member == nullptr ? nullptr : &member->value;
  };
  Names names(shapes_, place);
  if (names.active()) {
    merge(a.members, b.members, key_of, [&](const json::Member* x, const json::Member* y) {
      names.count((x != nullptr ? x : y)->key, value_of(x), value_of(y));
    });
  }
  merge(a.members, b.members, key_of, [&](const json::Member* x, const json::Member* y) {
    const auto key = (x != nullptr ? x : y)->key;
    child({key, names.shown(key, value_of(x), value_of(y))}, value_of(x), value_of(y), place);
  });
}

void Walk::compare_arrays(const json::Value& a, const json::Value& b, const Shapes::Place& place) {
  if (const auto* key = shapes_.id_key(place)) {
    const auto ids_a = identified(a, *key);
    const auto ids_b = identified(b, *key);
    if (ids_a && ids_b) return compare_identified(*ids_a, *ids_b, place);
  }
  if (shapes_.is_set(place)) {
    if (!equal_as_sets(a, b)) found(ChangeType::update, &a, &b);
  } else if (all_objects(a) && all_objects(b)) {
    compare_aligned(a, b, place);
  } else if (!json::equal(a, b)) {
    found(ChangeType::update, &a, &b);
  }
}

void Walk::compare_identified(const std::vector<Identified>& a, const std::vector<Identified>& b,
                              const Shapes::Place& place) {
  const auto id_of = [](const Identified& each) { return each.id; };
  const auto value_of = [](const Identified* each) { return each == nullptr ? nullptr : each->element; };
  Names names(shapes_, place);
  if (names.active()) {
    merge(a, b, id_of, [&](const Identified* x, const Identified* y) {
      names.count((x != nullptr ? x : y)->id, value_of(x), value_of(y));
    });
  }
  merge(a, b, id_of, [&](const Identified* x, const Identified* y) {
    const auto id = (x != nullptr ? x : y)->id;
    child({id, names.shown(id, value_of(x), value_of(y))}, value_of(x), value_of(y), place);
  });
}

void Walk::compare_aligned(const json::Value& a, const json::Value& b, const Shapes::Place& place) {
  for (const auto& [previous, current] : align(a, b)) {
    const auto& position = positions_.emplace_back(std::to_string(current ? *current : *previous));
    child({position, position}, previous ? &a.elements[*previous] : nullptr,
          current ? &b.elements[*current] : nullptr, place);
  }
}

void Walk::child(Segment segment, const json::Value* a, const json::Value* b, const Shapes::Place& parent) {
  const bool both = a != nullptr && b != nullptr;
  const bool containers = both && a->is_container() && b->is_container();
  // Most of a report is written as it was in the one before: one look at the text spares the walk.
  if (containers && !a->text.empty() && a->text == b->text) return;
  if (both && !containers && json::equal(*a, *b)) return;
  const auto before = path_.empty() ? 0 : path_.back().hash;
  segment.hash = before * 0x9e3779b97f4a7c15U + std::hash<std::string_view>{}(segment.key) + 1;
  path_.push_back(segment);
  if (containers) {
    compare(*a, *b, parent.empty() ? parent : shapes_.step(parent, segment.key));
  } else {
    found(a == nullptr ? ChangeType::create : b == nullptr ? ChangeType::delete_ : ChangeType::update, a, b);
  }
  path_.pop_back();
}

void Walk::found(ChangeType type, const json::Value* a, const json::Value* b) {
  tell_(Difference{type, joined(&Segment::key), joined(&Segment::shown), a, b});
}

std::string Walk::joined(std::string_view Segment::*name) const {
  if (path_.empty()) return "$";
  std::string text;
  for (const auto& segment : path_) {
    if (&segment != path_.data()) text += '.';
    text += (segment.*name).substr(0, kMaxPathBytes + 1);
    if (text.size() > kMaxPathBytes) {
      auto end = kMaxPathBytes;
      while ((static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // not inside a character
      return text.substr(0, end) + fmt::format("...#{:016x}", path_.back().hash);
    }
  }
  return text;
}

}  // namespace collect::diff
