// SPDX-License-Identifier: Apache-2.0
// Every difference between two JSON values, with its path, unjudged.
#pragma once

#include <deque>
#include <functional>
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

// A path of more bytes is cut there and ends in "...#" and a hash, so that a document with a huge key around
// many changes cannot multiply itself.
inline constexpr std::size_t kMaxPathBytes = 4096;

// One walk over two values, which must outlive what is told of them.
class Walk {
 public:
  using Tell = std::function<void(const Difference&)>;

  Walk(const Shapes& shapes, std::size_t max_depth, Tell tell)
      : shapes_(shapes), max_depth_(max_depth), tell_(std::move(tell)) {}

  // Tells in the order of the documents' keys; deterministic. "$" is the path of the outermost value.
  void run(const json::Value& previous, const json::Value& current) && {
    compare(previous, current, shapes_.root());
  }

 private:
  struct Segment {
    std::string_view key;
    std::string_view shown;
    std::size_t hash = 0;  // of the path up to here
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
  [[nodiscard]] std::string joined(std::string_view Segment::*name) const;

  const Shapes& shapes_;
  std::size_t max_depth_;
  std::vector<Segment> path_;
  std::deque<std::string> positions_;  // the texts of array positions that path_ points into
  Tell tell_;
};

}  // namespace collect::diff
