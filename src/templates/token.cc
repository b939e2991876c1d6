// SPDX-License-Identifier: Apache-2.0
#include "templates/token.h"

namespace collect::templates {

std::string_view describe(Token::Type type) {
  using Type = Token::Type;
  switch (type) {
    case Type::error:
      return "an error";
    case Type::end_of_text:
      return "the end of the template";
    case Type::text:
      return "text";
    case Type::left_delimiter:
      return "{{";
    case Type::right_delimiter:
      return "}}";
    case Type::space:
      return "a space";
    case Type::left_parenthesis:
      return "(";
    case Type::right_parenthesis:
      return ")";
    case Type::pipe:
      return "|";
    case Type::comma:
      return "a comma";
    case Type::other:
      return "a character that means nothing there";
    case Type::assign:
      return "=";
    case Type::declare:
      return ":=";
    case Type::boolean:
      return "a boolean";
    case Type::character:
      return "a character constant";
    case Type::number:
    case Type::complex:
      return "a number";
    case Type::string:
      return "a string";
    case Type::dot:
      return "a dot";
    case Type::field:
      return "a field";
    case Type::variable:
      return "a variable";
    case Type::identifier:
      return "a name";
    case Type::nil:
      return "nil";
    case Type::block:
      return "block";
    case Type::break_word:
      return "break";
    case Type::continue_word:
      return "continue";
    case Type::define:
      return "define";
    case Type::else_word:
      return "else";
    case Type::end:
      return "end";
    case Type::if_word:
      return "if";
    case Type::range:
      return "range";
    case Type::template_word:
      return "template";
    case Type::with:
      return "with";
  }
  return "";
}

}  // namespace collect::templates
