// SPDX-License-Identifier: Apache-2.0
// What stands between the delimiters: commands joined by |, with their variables.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "templates/syntax.h"
#include "templates/token_reader.h"

namespace collect::templates {

// In it a pipeline declares up to two variables.
inline constexpr std::string_view kRangeContext = "a range";

// `variables`: the names that are visible; what a pipeline declares is added.
class PipelineParser {
 public:
  PipelineParser(TokenReader& tokens, std::vector<std::string_view>& variables)
      : tokens_(tokens), variables_(variables) {}

  // Up to and with `end`; `context` is for messages: "an action".
  Pipeline pipeline(std::string_view context, Token::Type end);
  // A string's value; its token is of that type.
  std::string string(const Token& token);

 private:
  void variables(Pipeline& made, std::string_view context);
  Command command();
  Operand operand();
  Operand term();
  std::string variable(const Token& token);
  void number(const Token& token, Operand& made);
  void parentheses(std::size_t line, Operand& made);

  TokenReader& tokens_;
  std::vector<std::string_view>& variables_;
};

}  // namespace collect::templates
