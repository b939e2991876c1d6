// SPDX-License-Identifier: Apache-2.0
// A template's text as tokens. Comments and trimmed spaces are gone.
#pragma once

#include <cstddef>
#include <string_view>

#include "templates/token.h"

namespace collect::templates {

class Lexer {
 public:
  // `text` outlives the lexer and its tokens.
  explicit Lexer(std::string_view text) : text_(text) {}

  // After the end or an error: the end, for ever.
  Token next();

 private:
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  [[nodiscard]] bool at_terminator() const;
  [[nodiscard]] bool at_alphanumeric() const;
  Token token(Token::Type type);
  Token error(std::string_view expected);
  Token outside();
  bool skip_comment();
  Token inside();
  Token symbol();
  Token right_delimiter();
  Token space();
  Token word();
  Token name(Token::Type type);
  Token quoted(char quote, Token::Type type);
  Token number();
  bool scan_number();
  bool take_any(std::string_view characters);
  void take_run(std::string_view characters);

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t start_ = 0;
  std::size_t line_ = 1;     // where start_ is
  std::size_t counted_ = 0;  // up to where line_ has counted
  bool in_action_ = false;
  std::size_t open_parentheses_ = 0;
};

}  // namespace collect::templates
