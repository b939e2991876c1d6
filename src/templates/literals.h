// SPDX-License-Identifier: Apache-2.0
// Go's literals to values (https://go.dev/ref/spec#Lexical_elements), as strconv reads them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "templates/value.h"

namespace collect::templates {

// A number as the lexer cut it out: integer of any base, float, imaginary. An integer between int64's and
// uint64's largest is a number that has no value: only its use is an error. nullopt: no number.
struct Number {
  Value value;
  bool overflows = false;
};
std::optional<Number> read_number(std::string_view text);

// "1+2i".
std::optional<Value> read_complex(std::string_view text);

// With its quotes: 'x' and its escapes, to the code point.
std::optional<Value> read_character(std::string_view text);

// With its quotes, " or `.
std::optional<std::string> read_string(std::string_view text);

}  // namespace collect::templates
