// SPDX-License-Identifier: Apache-2.0
// Every difference between two JSON values, with its path, unjudged.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "diff/change.h"
#include "diff/shapes.h"

namespace collect::diff {

struct Difference {
  ChangeType type;
  std::string path;             // dotted, by keys, ids and positions: what rules match
  std::string shown_path;       // the same with display names
  const json::Value* previous;  // nullptr for create
  const json::Value* current;   // nullptr for delete
};

// One walk over two values, which must outlive it and its differences.
class Walk {
 public:
  Walk(const Shapes& shapes, std::size_t max_depth) : shapes_(shapes), max_depth_(max_depth) {}

  // In the order of the documents' keys; deterministic. "$" is the path of the outermost value.
  std::vector<Difference> run(const json::Value& previous, const json::Value& current) &&;

 private:
  struct Segment {
    std::string_view key;
    std::string_view shown;
  };
  class Names;

  void compare(const json::Value& a, const json::Value& b, const Shapes::Place& place);
  void compare_objects(const json::Value& a, const json::Value& b, const Shapes::Place& place);
  void compare_arrays(const json::Value& a, const json::Value& b, const Shapes::Place& place);
  void compare_identified(const std::vector<Identified>& a, const std::vector<Identified>& b,
                          const Shapes::Place& place);
  void compare_aligned(const json::Value& a, const json::Value& b, const Shapes::Place& place);
  // One child of the current place, on one side or both.
  void child(Segment segment, const json::Value* a, const json::Value* b, const Shapes::Place& parent);
  void found(ChangeType type, const json::Value* a, const json::Value* b);

  const Shapes& shapes_;
  std::size_t max_depth_;
  std::vector<Segment> path_;
  std::deque<std::string> positions_;  // the texts of array positions that path_ points into
  std::vector<Difference> differences_;
};

}  // namespace collect::diff
