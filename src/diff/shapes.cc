// SPDX-License-Identifier: Apache-2.0
#include "diff/shapes.h"

#include <algorithm>

namespace collect::diff {

std::optional<std::vector<std::string>> split_shape(std::string_view text) {
  std::vector<std::string> segments;
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find('.', start), text.size());
    if (end == start) return std::nullopt;
    segments.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  return segments;
}

Shapes::Shapes() : nodes_(1) {}

std::uint32_t Shapes::child(std::uint32_t node, const std::string& segment) {
  const auto next = static_cast<std::uint32_t>(nodes_.size());
  if (segment == "*") {
    if (nodes_[node].any) return *nodes_[node].any;
    nodes_[node].any = next;
  } else {
    const auto [at, added] = nodes_[node].children.try_emplace(segment, next);
    if (!added) return at->second;
  }
  nodes_.emplace_back();
  return next;
}

std::uint32_t Shapes::reach(const std::vector<std::string>& shape) {
  std::uint32_t node = 0;
  for (const auto& segment : shape) node = child(node, segment);
  return node;
}

void Shapes::identify(const std::vector<std::string>& shape, std::string key) {
  nodes_[reach(shape)].id_key = std::move(key);
}

void Shapes::mark_set(const std::vector<std::string>& shape) {
  nodes_[reach(shape)].set = true;
}

void Shapes::show_as(const std::vector<std::string>& shape, std::string key) {
  nodes_[reach(shape)].shown_key = std::move(key);
  nodes_[reach({shape.begin(), shape.end() - 1})].shows_children = true;
}

Shapes::Place Shapes::step(const Place& from, std::string_view key) const {
  Place to;
  for (const auto index : from) {
    const auto& node = nodes_[index];
    if (const auto found = node.children.find(key); found != node.children.end()) to.push_back(found->second);
    if (node.any) to.push_back(*node.any);
  }
  return to;
}

const std::string* Shapes::id_key(const Place& place) const {
  for (const auto index : place) {
    if (nodes_[index].id_key) return &*nodes_[index].id_key;
  }
  return nullptr;
}

bool Shapes::is_set(const Place& place) const {
  return std::any_of(place.begin(), place.end(), [this](auto index) { return nodes_[index].set; });
}

bool Shapes::shows_children(const Place& place) const {
  return std::any_of(place.begin(), place.end(), [this](auto index) { return nodes_[index].shows_children; });
}

const std::string* Shapes::shown_key(const Place& place) const {
  for (const auto index : place) {
    if (nodes_[index].shown_key) return &*nodes_[index].shown_key;
  }
  return nullptr;
}

std::optional<std::vector<Identified>> identified(const json::Value& array, std::string_view key) {
  std::vector<Identified> found;
  found.reserve(array.elements.size());
  for (const auto& element : array.elements) {
    const auto* id = element.find(key);
    if (id == nullptr || id->text.empty() || id->is_container()) return std::nullopt;
    // 1 and 1.0 are one number and two texts: only integers as everybody writes them can name an element.
    if (id->is_number() && id->text.find_first_of(".eE") != std::string_view::npos) return std::nullopt;
    found.push_back({id->text, &element});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  const auto twice = std::adjacent_find(found.begin(), found.end(),
                                        [](const auto& a, const auto& b) { return a.id == b.id; });
  if (twice != found.end()) return std::nullopt;
  return found;
}

}  // namespace collect::diff
