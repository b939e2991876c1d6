// SPDX-License-Identifier: Apache-2.0
#include "templates/token_reader.h"

#include <fmt/format.h>

namespace collect::templates {

Token TokenReader::next() {
  if (failure_) return {};
  if (ahead_.empty()) return lexer_.next();
  const auto token = ahead_.back();
  ahead_.pop_back();
  return token;
}

Token TokenReader::peek() {
  const auto token = next();
  back(token);
  return token;
}

Token TokenReader::next_word() {
  auto token = next();
  while (token.type == Token::Type::space) token = next();
  return token;
}

Token TokenReader::peek_word() {
  const auto token = next_word();
  back(token);
  return token;
}

void TokenReader::expect(Token::Type type, std::string_view context) {
  const auto token = next_word();
  if (token.type != type) unexpected(token, context);
}

void TokenReader::unexpected(const Token& token, std::string_view context) {
  if (token.type == Token::Type::error) return fail(token.line, token.text);
  fail(token.line, fmt::format("{} is not expected in {}", describe(token.type), context));
}

void TokenReader::fail(std::size_t line, std::string_view what) {
  if (!failure_) failure_ = invalid(fmt::format("line {}: {}", line, what));
  ahead_.clear();
}

bool TokenReader::enter(std::size_t line) {
  if (++nesting_ > kMaxNesting) fail(line, "the nesting is too deep");
  return !failure_;
}

}  // namespace collect::templates
