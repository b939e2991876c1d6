// SPDX-License-Identifier: Apache-2.0
// One function per rule of the grammar. The first failure stays; from then on the tokens have ended, which
// ends every loop here.
#include "templates/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "templates/lexer.h"
#include "templates/literals.h"
#include "templates/unicode.h"

namespace collect::templates {
namespace {

using Type = Token::Type;

// What closed a list of nodes.
enum class Closed { open, by_end, by_else };

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

bool is_empty(const Nodes& nodes) {
  return std::all_of(nodes.begin(), nodes.end(),
                     [](const Node& node) { return node.kind == Node::Kind::text && is_blank(node.text); });
}

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  Result<Program> run() {
    while (peek().type != Type::end_of_text) top_level();
    if (failure_) return *std::move(failure_);
    return std::move(program_);
  }

 private:
  // What {{break}} and variables refer to ends at a {{define}} or {{block}}.
  struct Scope {
    std::vector<std::string_view> variables = {"$"};
    std::size_t ranges = 0;
  };

  void fail(std::size_t line, std::string_view what) {
    if (!failure_) failure_ = invalid(fmt::format("line {}: {}", line, what));
    ahead_.clear();
  }

  void unexpected(const Token& token, std::string_view context) {
    if (token.type == Type::error) return fail(token.line, token.text);
    fail(token.line, fmt::format("{} is not expected in {}", describe(token.type), context));
  }

  Token next() {
    if (failure_) return {};
    if (ahead_.empty()) return lexer_.next();
    const auto token = ahead_.back();
    ahead_.pop_back();
    return token;
  }

  void back(const Token& token) { ahead_.push_back(token); }

  Token peek() {
    const auto token = next();
    back(token);
    return token;
  }

  Token next_word() {
    auto token = next();
    while (token.type == Type::space) token = next();
    return token;
  }

  Token peek_word() {
    const auto token = next_word();
    back(token);
    return token;
  }

  void expect(Type type, std::string_view context) {
    const auto token = next_word();
    if (token.type != type) unexpected(token, context);
  }

  void top_level() {
    const auto token = next();
    if (token.type == Type::left_delimiter && peek_word().type == Type::define) {
      next();
      return definition();
    }
    back(token);
    if (item(program_.main) != Closed::open) fail(token.line, "there is nothing to end or to choose from");
  }

  void definition() {
    constexpr std::string_view kContext = "a define";
    const auto name = template_name(kContext);
    expect(Type::right_delimiter, kContext);
    define(name, kContext);
  }

  // The body up to {{end}}.
  void define(const std::string& name, std::string_view context) {
    auto outer = std::exchange(scope_, {});
    Nodes body;
    const auto line = peek().line;
    if (list(body) == Closed::by_else) fail(line, fmt::format("{} expects end, not else", context));
    scope_ = std::move(outer);
    auto& defined = program_.named[name];
    if (!is_empty(defined) && !is_empty(body)) return fail(line, "a template is defined twice");
    if (is_empty(defined)) defined = std::move(body);
  }

  std::string template_name(std::string_view context) {
    const auto token = next_word();
    if (token.type != Type::string) {
      unexpected(token, context);
      return {};
    }
    return string(token);
  }

  Closed list(Nodes& nodes) {
    while (peek_word().type != Type::end_of_text) {
      const auto closed = item(nodes);
      if (closed != Closed::open) return closed;
    }
    fail(peek().line, "an end is expected before the template ends");
    return Closed::by_end;
  }

  Closed item(Nodes& nodes) {
    const auto token = next_word();
    if (token.type == Type::text) {
      nodes.push_back(node(Node::Kind::text, token.line));
      nodes.back().text = token.text;
    } else if (token.type == Type::left_delimiter) {
      return action(nodes);
    } else {
      unexpected(token, "the text");
    }
    return Closed::open;
  }

  static Node node(Node::Kind kind, std::size_t line) {
    Node made;
    made.kind = kind;
    made.line = line;
    return made;
  }

  Closed action(Nodes& nodes) {
    const auto token = next_word();
    switch (token.type) {
      case Type::end:
        expect(Type::right_delimiter, "an end");
        return Closed::by_end;
      case Type::else_:
        // The if of an {{else if}} is the business of the if that it belongs to.
        if (peek_word().type != Type::if_) expect(Type::right_delimiter, "an else");
        return Closed::by_else;
      case Type::block:
        nodes.push_back(block(token.line));
        break;
      case Type::break_:
        nodes.push_back(jump(Node::Kind::leave, token.line));
        break;
      case Type::continue_:
        nodes.push_back(jump(Node::Kind::skip, token.line));
        break;
      case Type::if_:
        nodes.push_back(control(Node::Kind::condition, token.line));
        break;
      case Type::range:
        nodes.push_back(control(Node::Kind::range, token.line));
        break;
      case Type::with:
        nodes.push_back(control(Node::Kind::with, token.line));
        break;
      case Type::template_:
        nodes.push_back(invocation(token.line));
        break;
      default:
        back(token);
        nodes.push_back(node(Node::Kind::action, token.line));
        nodes.back().pipeline = pipeline("an action", Type::right_delimiter);
    }
    return Closed::open;
  }

  Node jump(Node::Kind kind, std::size_t line) {
    expect(Type::right_delimiter, "a break or continue");
    if (scope_.ranges == 0) fail(line, "break and continue are expected in a range only");
    return node(kind, line);
  }

  Node invocation(std::size_t line) {
    constexpr std::string_view kContext = "a template action";
    auto made = node(Node::Kind::invocation, line);
    made.text = template_name(kContext);
    const auto token = next_word();
    if (token.type == Type::right_delimiter) return made;
    back(token);
    made.pipeline = pipeline(kContext, Type::right_delimiter);
    return made;
  }

  Node block(std::size_t line) {
    constexpr std::string_view kContext = "a block";
    auto made = node(Node::Kind::invocation, line);
    made.text = template_name(kContext);
    made.pipeline = pipeline(kContext, Type::right_delimiter);
    if (!enter(line)) return made;
    define(made.text, kContext);
    --nesting_;
    return made;
  }

  Node control(Node::Kind kind, std::size_t line) {
    auto made = node(kind, line);
    if (!enter(line)) return made;
    const auto variables = scope_.variables.size();
    const std::size_t ranges = kind == Node::Kind::range ? 1 : 0;
    made.pipeline = pipeline(ranges == 1 ? kRange : "an if or with", Type::right_delimiter);
    scope_.ranges += ranges;
    auto closed = list(made.body);
    scope_.ranges -= ranges;
    if (closed == Closed::by_else) otherwise(made);
    scope_.variables.resize(std::min(variables, scope_.variables.size()));
    --nesting_;
    return made;
  }

  void otherwise(Node& of) {
    const auto token = peek();
    if (of.kind == Node::Kind::condition && token.type == Type::if_) {
      next();
      of.otherwise.push_back(control(Node::Kind::condition, token.line));
    } else if (list(of.otherwise) != Closed::by_end) {
      fail(token.line, "an end is expected, not a second else");
    }
  }

  Pipeline pipeline(std::string_view context, Type end) {
    Pipeline made;
    made.line = peek_word().line;
    variables(made, context);
    for (auto token = next_word(); token.type != end; token = next_word()) {
      if (!starts_operand(token.type)) {
        unexpected(token, context);
        return made;
      }
      back(token);
      made.commands.push_back(command());
    }
    if (made.commands.empty()) fail(made.line, fmt::format("{} expects a value", context));
    for (std::size_t at = 1; at < made.commands.size(); ++at) {
      const auto& command = made.commands[at];
      if (!command.empty() && is_literal(command[0])) fail(made.line, "a pipe expects a function after it");
    }
    return made;
  }

  // "$x :=", "$x =", in a range also "$x, $y :=".
  void variables(Pipeline& made, std::string_view context) {
    while (peek_word().type == Type::variable) {
      const auto variable = next();
      const auto after = peek();
      const auto word = peek_word();
      if (word.type != Type::assign && word.type != Type::declare && word.type != Type::comma) {
        if (after.type == Type::space) back(after);
        return back(variable);
      }
      next_word();
      made.variables.emplace_back(variable.text);
      scope_.variables.push_back(variable.text);
      if (word.type != Type::comma) {
        made.assigns = word.type == Type::assign;
        return;
      }
      if (context != kRange || made.variables.size() > 1)
        return fail(word.line, "no more variables are expected");
      const auto second = peek_word().type;
      if (second != Type::variable && second != Type::right_delimiter && second != Type::right_parenthesis) {
        return fail(word.line, "a range expects variables on both sides of the comma");
      }
    }
  }

  Command command() {
    Command made;
    while (true) {
      const auto first = peek_word();
      if (starts_operand(first.type)) made.push_back(operand());
      const auto token = next();
      if (token.type == Type::space) continue;
      if (token.type == Type::right_delimiter || token.type == Type::right_parenthesis) {
        back(token);
      } else if (token.type != Type::pipe) {
        unexpected(token, "an operand");
      }
      break;
    }
    return made;
  }

  // A term with its fields.
  Operand operand() {
    auto made = term();
    if (peek().type != Type::field) return made;
    if (is_literal(made))
      fail(made.line, "a field is expected after a field, a variable or parentheses only");
    if (made.kind == Operand::Kind::pipeline || made.kind == Operand::Kind::function) {
      auto base = std::make_unique<Operand>(std::move(made));
      made = {};
      made.kind = Operand::Kind::chain;
      made.line = base->line;
      made.base = std::move(base);
    }
    while (peek().type == Type::field) made.fields.emplace_back(next().text.substr(1));
    return made;
  }

  Operand term() {
    const auto token = next_word();
    Operand made;
    made.line = token.line;
    switch (token.type) {
      case Type::identifier:
        made.kind = Operand::Kind::function;
        made.function = find_function(token.text);
        if (made.function == nullptr) fail(token.line, "there is no function of that name");
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

  std::string variable(const Token& token) {
    const auto& known = scope_.variables;
    if (std::find(known.begin(), known.end(), token.text) == known.end()) {
      fail(token.line, "a variable is expected to be declared before its use");
    }
    return std::string(token.text);
  }

  std::string string(const Token& token) {
    auto text = read_string(token.text);
    if (!text) fail(token.line, "a string expects Go's escapes only");
    return std::move(text).value_or("");
  }

  void number(const Token& token, Operand& made) {
    std::optional<Number> number;
    if (token.type == Type::number) {
      number = read_number(token.text);
    } else if (const auto value =
                   token.type == Type::complex ? read_complex(token.text) : read_character(token.text)) {
      number = Number{*value};
    }
    if (!number) return fail(token.line, "a number or character is not written as Go writes it");
    made.kind = number->overflows ? Operand::Kind::overflow : Operand::Kind::constant;
    made.constant = number->value;
  }

  void parentheses(std::size_t line, Operand& made) {
    made.kind = Operand::Kind::pipeline;
    made.pipeline = std::make_unique<Pipeline>();
    if (!enter(line)) return;
    *made.pipeline = pipeline("parentheses", Type::right_parenthesis);
    --nesting_;
  }

  bool enter(std::size_t line) {
    if (++nesting_ > kMaxNesting) fail(line, "the nesting is too deep");
    return !failure_;
  }

  static constexpr std::string_view kRange = "a range";

  Lexer lexer_;
  std::vector<Token> ahead_;  // the last one comes first
  Scope scope_;
  std::size_t nesting_ = 0;
  Program program_;
  std::optional<Failure> failure_;
};

}  // namespace

Result<Program> parse(std::string_view text) {
  if (text.size() > kMaxTemplateBytes) {
    return invalid(fmt::format("a template has at most {} bytes", kMaxTemplateBytes));
  }
  return Parser(text).run();
}

}  // namespace collect::templates
