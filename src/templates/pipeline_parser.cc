// SPDX-License-Identifier: Apache-2.0
#include "templates/pipeline_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "templates/literals.h"

namespace collect::templates {
namespace {

using Type = Token::Type;

bool starts_operand(Type type) {
  switch (type) {
    case Type::boolean:
    case Type::character:
    case Type::complex:
    case Type::dot:
    case Type::field:
    case Type::identifier:
    case Type::number:
    case Type::nil:
    case Type::string:
    case Type::variable:
    case Type::left_parenthesis:
      return true;
    default:
      return false;
  }
}

// What can stand alone only: not behind a pipe, and without fields.
bool is_literal(const Operand& operand) {
  switch (operand.kind) {
    case Operand::Kind::nil:
    case Operand::Kind::constant:
    case Operand::Kind::overflow:
    case Operand::Kind::text:
    case Operand::Kind::dot:
      return true;
    default:
      return false;
  }
}

}  // namespace

Pipeline PipelineParser::pipeline(std::string_view context, Type end) {
  Pipeline made;
  made.line = tokens_.peek_word().line;
  variables(made, context);
  for (auto token = tokens_.next_word(); token.type != end; token = tokens_.next_word()) {
    if (!starts_operand(token.type)) {
      tokens_.unexpected(token, context);
      return made;
    }
    tokens_.back(token);
    made.commands.push_back(command());
  }
  if (made.commands.empty()) tokens_.fail(made.line, fmt::format("{} expects a value", context));
  for (std::size_t at = 1; at < made.commands.size(); ++at) {
    const auto& command = made.commands[at];
    if (!command.empty() && is_literal(command[0]))
      tokens_.fail(made.line, "a pipe expects a function after it");
  }
  return made;
}

// "$x :=", "$x =", in a range also "$x, $y :=".
void PipelineParser::variables(Pipeline& made, std::string_view context) {
  while (tokens_.peek_word().type == Type::variable) {
    const auto variable = tokens_.next();
    const auto after = tokens_.peek();
    const auto word = tokens_.peek_word();
    if (word.type != Type::assign && word.type != Type::declare && word.type != Type::comma) {
      if (after.type == Type::space) tokens_.back(after);
      return tokens_.back(variable);
    }
    tokens_.next_word();
    made.variables.emplace_back(variable.text);
    variables_.push_back(variable.text);
    if (variables_.size() > kMaxVariables) return tokens_.fail(variable.line, "there are too many variables");
    if (word.type != Type::comma) {
      made.assigns = word.type == Type::assign;
      return;
    }
    if (context != kRangeContext || made.variables.size() > 1)
      return tokens_.fail(word.line, "no more variables are expected");
    const auto second = tokens_.peek_word().type;
    if (second != Type::variable && second != Type::right_delimiter && second != Type::right_parenthesis) {
      return tokens_.fail(word.line, "a range expects variables on both sides of the comma");
    }
  }
}

Command PipelineParser::command() {
  Command made;
  while (true) {
    const auto first = tokens_.peek_word();
    if (starts_operand(first.type)) made.push_back(operand());
    const auto token = tokens_.next();
    if (token.type == Type::space) continue;
    if (token.type == Type::right_delimiter || token.type == Type::right_parenthesis) {
      tokens_.back(token);
    } else if (token.type != Type::pipe) {
      tokens_.unexpected(token, "an operand");
    }
    break;
  }
  return made;
}

// A term with its fields.
Operand PipelineParser::operand() {
  auto made = term();
  if (tokens_.peek().type != Type::field) return made;
  if (is_literal(made))
    tokens_.fail(made.line, "a field is expected after a field, a variable or parentheses only");
  if (made.kind == Operand::Kind::pipeline || made.kind == Operand::Kind::function) {
    auto base = std::make_unique<Operand>(std::move(made));
    made = {};
    made.kind = Operand::Kind::chain;
    made.line = base->line;
    made.base = std::move(base);
  }
  while (tokens_.peek().type == Type::field) made.fields.emplace_back(tokens_.next().text.substr(1));
  return made;
}

Operand PipelineParser::term() {
  const auto token = tokens_.next_word();
  Operand made;
  made.line = token.line;
  switch (token.type) {
    case Type::identifier:
      made.kind = Operand::Kind::function;
      made.function = find_function(token.text);
      if (made.function == nullptr) tokens_.fail(token.line, "there is no function of that name");
      break;
    case Type::dot:
      made.kind = Operand::Kind::dot;
      break;
    case Type::variable:
      made.kind = Operand::Kind::variable;
      made.name = variable(token);
      break;
    case Type::field:
      made.kind = Operand::Kind::field;
      made.fields.emplace_back(token.text.substr(1));
      break;
    case Type::boolean:
      made.kind = Operand::Kind::constant;
      made.constant = token.text == "true";
      break;
    case Type::character:
    case Type::complex:
    case Type::number:
      number(token, made);
      break;
    case Type::left_parenthesis:
      parentheses(token.line, made);
      break;
    case Type::string:
      made.kind = Operand::Kind::text;
      made.name = string(token);
      break;
    default:
      break;
  }
  return made;
}

std::string PipelineParser::variable(const Token& token) {
  const auto& known = variables_;
  if (std::find(known.begin(), known.end(), token.text) == known.end()) {
    tokens_.fail(token.line, "a variable is expected to be declared before its use");
  }
  return std::string(token.text);
}

std::string PipelineParser::string(const Token& token) {
  auto text = read_string(token.text);
  if (!text) tokens_.fail(token.line, "a string expects Go's escapes only");
  return std::move(text).value_or("");
}

void PipelineParser::number(const Token& token, Operand& made) {
  std::optional<Number> number;
  if (token.type == Type::number) {
    number = read_number(token.text);
  } else if (const auto value =
                 token.type == Type::complex ? read_complex(token.text) : read_character(token.text)) {
    number = Number{*value};
  }
  if (!number) return tokens_.fail(token.line, "a number or character is not written as Go writes it");
  made.kind = number->overflows ? Operand::Kind::overflow : Operand::Kind::constant;
  made.constant = number->value;
}

void PipelineParser::parentheses(std::size_t line, Operand& made) {
  made.kind = Operand::Kind::pipeline;
  made.pipeline = std::make_unique<Pipeline>();
  if (!tokens_.enter(line)) return;
  *made.pipeline = pipeline("parentheses", Type::right_parenthesis);
  tokens_.leave();
}

}  // namespace collect::templates
