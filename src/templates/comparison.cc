// SPDX-License-Identifier: Apache-2.0
#include "templates/comparison.h"

#include <type_traits>

namespace collect::templates {
namespace {

Failure incompatible() {
  return invalid("a comparison expects values of one type");
}

template <class T>
constexpr bool kIsInteger = std::is_same_v<T, std::int64_t> || std::is_same_v<T, std::uint8_t>;

struct Equal {
  template <class A, class B>
  Result<bool> operator()(const A& a, const B& b) const {
    if constexpr (kIsInteger<A> && kIsInteger<B>) {
      return std::int64_t{a} == std::int64_t{b};
    } else if constexpr (std::is_same_v<A, Nothing> || std::is_same_v<B, Nothing>) {
      return std::is_same_v<A, B>;
    } else if constexpr (std::is_same_v<A, const Values*> && std::is_same_v<B, const Values*>) {
      return invalid("maps cannot be compared");
    } else if constexpr (std::is_same_v<A, B>) {
      return a == b;
    } else {
      return incompatible();
    }
  }
};

struct Less {
  template <class A, class B>
  Result<bool> operator()(const A& a, const B& b) const {
    constexpr bool kOrdered = std::is_same_v<A, double> || std::is_same_v<A, std::string_view>;
    if constexpr (kIsInteger<A> && kIsInteger<B>) {
      return std::int64_t{a} < std::int64_t{b};
    } else if constexpr (std::is_same_v<A, B> && kOrdered) {
      return a < b;
    } else {
      return incompatible();
    }
  }
};

}  // namespace

Result<bool> equals_any(const Value& first, std::span<const Value> others) {
  for (const auto& other : others) {
    auto equal = std::visit(Equal{}, first, other);
    if (!equal || *equal) return equal;
  }
  return false;
}

Result<bool> is_less(const Value& first, const Value& second) {
  return std::visit(Less{}, first, second);
}

}  // namespace collect::templates
