// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace collect::templates {

struct Token {
  enum class Type {
    error,  // `text` says what was expected; nothing comes after it
    end_of_text,
    text,
    left_delimiter,
    right_delimiter,
    space,
    left_parenthesis,
    right_parenthesis,
    pipe,
    comma,
    other,  // a character that means nothing
    assign,
    declare,
    boolean,
    character,
    number,
    complex,
    string,
    dot,
    field,       // with its dot
    variable,    // with its $
    identifier,  // what is left: a function's name
    nil,
    block,
    break_word,
    continue_word,
    define,
    else_word,
    end,
    if_word,
    range,
    template_word,
    with,
  };
  Type type = Type::end_of_text;
  std::string_view text;
  std::size_t line = 1;
};

// For messages: "a pipe". Never the text itself: it is a stranger's.
std::string_view describe(Token::Type type);

}  // namespace collect::templates
