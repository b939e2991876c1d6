// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "templates/lexer.h"
#include "templates/parser.h"

namespace collect::templates {

// The tokens as the parser takes them: any number can be given back. The first failure stays; from then on
// the tokens have ended, which ends every loop over them.
class TokenReader {
 public:
  explicit TokenReader(std::string_view text) : lexer_(text) {}

  Token next();
  Token peek();
  // The same, over spaces.
  Token next_word();
  Token peek_word();
  void back(const Token& token) { ahead_.push_back(token); }

  // A word of that type, else a failure.
  void expect(Token::Type type, std::string_view context);
  void unexpected(const Token& token, std::string_view context);
  void fail(std::size_t line, std::string_view what);
  [[nodiscard]] const std::optional<Failure>& failure() const { return failure_; }

  // One level deeper, until leave(). False where that is too deep or something failed.
  bool enter(std::size_t line);
  void leave() { --nesting_; }

 private:
  Lexer lexer_;
  std::vector<Token> ahead_;  // the last one comes first
  std::size_t nesting_ = 0;
  std::optional<Failure> failure_;
};

}  // namespace collect::templates
