// SPDX-License-Identifier: Apache-2.0
// What config.yml says about places in a document ("facts.modules.*": one key per segment, `*` is any key),
// found while a document is walked from its root. Immutable once built; reading is thread-safe.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace collect::diff {

// The segments of "facts.modules.*"; nullopt when one of them is empty.
std::optional<std::vector<std::string>> split_shape(std::string_view text);

class Shapes {
 public:
  // A place in a document, as far as the shapes care. Copy it on the way down.
  using Place = boost::container::small_vector<std::uint32_t, 6>;

  Shapes();

  // The shape's array is matched by this member of its elements.
  void identify(const std::vector<std::string>& shape, std::string key);
  void mark_set(const std::vector<std::string>& shape);
  // Paths show this member of the shape's object in place of its key.
  void show_as(const std::vector<std::string>& shape, std::string key);

  [[nodiscard]] Place root() const { return {0}; }
  [[nodiscard]] Place step(const Place& from, std::string_view key) const;

  [[nodiscard]] const std::string* id_key(const Place& place) const;
  [[nodiscard]] bool is_set(const Place& place) const;
  // For the children of this place: may one of them be shown under another name?
  [[nodiscard]] bool shows_children(const Place& place) const;
  [[nodiscard]] const std::string* shown_key(const Place& place) const;

 private:
  struct Node {
    std::map<std::string, std::uint32_t, std::less<>> children;
    std::optional<std::uint32_t> any;
    std::optional<std::string> id_key;
    std::optional<std::string> shown_key;
    bool set = false;
    bool shows_children = false;
  };

  std::uint32_t reach(const std::vector<std::string>& shape);
  std::uint32_t child(std::uint32_t node, const std::string& segment);

  std::vector<Node> nodes_;
};

// An element of an array that is matched by identity, with its id as a path segment.
struct Identified {
  std::string_view id;
  const json::Value* element;
};
// The elements in the order of their ids; nullopt when an element is no object, lacks the key, has neither a
// text nor an integer there, or when two share an id.
std::optional<std::vector<Identified>> identified(const json::Value& array, std::string_view key);

}  // namespace collect::diff
