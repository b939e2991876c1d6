// SPDX-License-Identifier: Apache-2.0
// How the elements of two arrays belong together when no element has a name. Near linear in the arrays' size.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/json.h"

namespace collect::diff {

// The same for values that are json::equal.
std::uint64_t hash_of(const json::Value& value);

// The same elements, each as often, in whatever order.
bool equal_as_sets(const json::Value& a, const json::Value& b);

// Two elements that belong together and differ, or one that has no partner.
struct Pairing {
  std::optional<std::size_t> previous;  // position in the previous array
  std::optional<std::size_t> current;   // position in the current one
};

// Pairs the elements that are not found unchanged in the other array: the most similar ones first, then those
// that lie between the same unchanged neighbours, in order. Equal elements, moved or not, do not appear. In
// the order of the current array, then the deleted ones in the order of the previous array.
std::vector<Pairing> align(const json::Value& previous, const json::Value& current);

}  // namespace collect::diff
