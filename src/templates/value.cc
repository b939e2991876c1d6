// SPDX-License-Identifier: Apache-2.0
#include "templates/value.h"

#include <array>

namespace collect::templates {
namespace {

constexpr std::array<std::string_view, std::variant_size_v<Value>> kTypeNames = {
    "<nil>", "bool", "int", "uint8", "float64", "complex128", "string", "map[string]string"};

struct Truth {
  bool operator()(Nothing) const { return false; }
  bool operator()(std::string_view text) const { return !text.empty(); }
  bool operator()(const Values* values) const { return !values->empty(); }
  bool operator()(const std::complex<double>& number) const { return number != 0.0; }
  template <class Number>
  bool operator()(Number number) const {
    return number != Number{};
  }
};

}  // namespace

std::string_view type_name(const Value& value) {
  return kTypeNames[value.index()];
}

bool truth(const Value& value) {
  return std::visit(Truth{}, value);
}

}  // namespace collect::templates
