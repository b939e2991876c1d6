// SPDX-License-Identifier: Apache-2.0
// One function per rule of the grammar. The first failure stays; from then on the tokens have ended, which
// ends every loop here.
#include "templates/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "templates/pipeline_parser.h"
#include "templates/token_reader.h"
#include "templates/unicode.h"

namespace collect::templates {
namespace {

using Type = Token::Type;

// What closed a list of nodes.
enum class Closed { open, by_end, by_else };

bool is_empty(const Nodes& nodes) {
  return std::all_of(nodes.begin(), nodes.end(),
                     [](const Node& node) { return node.kind == Node::Kind::text && is_blank(node.text); });
}

class Parser {
 public:
  explicit Parser(std::string_view text) : tokens_(text) {}

  Result<Program> run() {
    while (tokens_.peek().type != Type::end_of_text) top_level();
    if (tokens_.failure()) return *tokens_.failure();
    return std::move(program_);
  }

 private:
  // What {{break}} and variables refer to ends at a {{define}} or {{block}}.
  struct Scope {
    std::vector<std::string_view> variables = {"$"};
    std::size_t ranges = 0;
  };

  void top_level() {
    const auto token = tokens_.next();
    if (token.type == Type::left_delimiter && tokens_.peek_word().type == Type::define) {
      tokens_.next();
      return definition();
    }
    tokens_.back(token);
    if (item(program_.main) != Closed::open)
      tokens_.fail(token.line, "there is nothing to end or to choose from");
  }

  void definition() {
    constexpr std::string_view kContext = "a define";
    const auto name = template_name(kContext);
    tokens_.expect(Type::right_delimiter, kContext);
    define(name, kContext);
  }

  // The body up to {{end}}.
  void define(const std::string& name, std::string_view context) {
    auto outer = std::exchange(scope_, {});
    Nodes body;
    const auto line = tokens_.peek().line;
    if (list(body) == Closed::by_else) tokens_.fail(line, fmt::format("{} expects end, not else", context));
    scope_ = std::move(outer);
    auto& defined = program_.named[name];
    if (!is_empty(defined) && !is_empty(body)) return tokens_.fail(line, "a template is defined twice");
    if (is_empty(defined)) defined = std::move(body);
  }

  std::string template_name(std::string_view context) {
    const auto token = tokens_.next_word();
    if (token.type != Type::string) {
      tokens_.unexpected(token, context);
      return {};
    }
    return pipelines_.string(token);
  }

  Closed list(Nodes& nodes) {
    while (tokens_.peek_word().type != Type::end_of_text) {
      const auto closed = item(nodes);
      if (closed != Closed::open) return closed;
    }
    tokens_.fail(tokens_.peek().line, "an end is expected before the template ends");
    return Closed::by_end;
  }

  Closed item(Nodes& nodes) {
    const auto token = tokens_.next_word();
    if (token.type == Type::text) {
      nodes.push_back(node(Node::Kind::text, token.line));
      nodes.back().text = token.text;
    } else if (token.type == Type::left_delimiter) {
      return action(nodes);
    } else {
      tokens_.unexpected(token, "the text");
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
    const auto token = tokens_.next_word();
    switch (token.type) {
      case Type::end:
        tokens_.expect(Type::right_delimiter, "an end");
        return Closed::by_end;
      case Type::else_word:
        // The if of an {{else if}} is the business of the if that it belongs to.
        if (tokens_.peek_word().type != Type::if_word) tokens_.expect(Type::right_delimiter, "an else");
        return Closed::by_else;
      case Type::block:
        nodes.push_back(block(token.line));
        break;
      case Type::break_word:
        nodes.push_back(jump(Node::Kind::leave, token.line));
        break;
      case Type::continue_word:
        nodes.push_back(jump(Node::Kind::skip, token.line));
        break;
      case Type::if_word:
        nodes.push_back(control(Node::Kind::condition, token.line));
        break;
      case Type::range:
        nodes.push_back(control(Node::Kind::range, token.line));
        break;
      case Type::with:
        nodes.push_back(control(Node::Kind::with, token.line));
        break;
      case Type::template_word:
        nodes.push_back(invocation(token.line));
        break;
      default:
        tokens_.back(token);
        nodes.push_back(node(Node::Kind::action, token.line));
        nodes.back().pipeline = pipelines_.pipeline("an action", Type::right_delimiter);
    }
    return Closed::open;
  }

  Node jump(Node::Kind kind, std::size_t line) {
    tokens_.expect(Type::right_delimiter, "a break or continue");
    if (scope_.ranges == 0) tokens_.fail(line, "break and continue are expected in a range only");
    return node(kind, line);
  }

  Node invocation(std::size_t line) {
    constexpr std::string_view kContext = "a template action";
    auto made = node(Node::Kind::invocation, line);
    made.text = template_name(kContext);
    const auto token = tokens_.next_word();
    if (token.type == Type::right_delimiter) return made;
    tokens_.back(token);
    made.pipeline = pipelines_.pipeline(kContext, Type::right_delimiter);
    return made;
  }

  Node block(std::size_t line) {
    constexpr std::string_view kContext = "a block";
    auto made = node(Node::Kind::invocation, line);
    made.text = template_name(kContext);
    made.pipeline = pipelines_.pipeline(kContext, Type::right_delimiter);
    if (!tokens_.enter(line)) return made;
    define(made.text, kContext);
    tokens_.leave();
    return made;
  }

  Node control(Node::Kind kind, std::size_t line) {
    auto made = node(kind, line);
    if (!tokens_.enter(line)) return made;
    const auto variables = scope_.variables.size();
    const std::size_t ranges = kind == Node::Kind::range ? 1 : 0;
    made.pipeline = pipelines_.pipeline(ranges == 1 ? kRangeContext : "an if or with", Type::right_delimiter);
    scope_.ranges += ranges;
    auto closed = list(made.body);
    scope_.ranges -= ranges;
    if (closed == Closed::by_else) otherwise(made);
    scope_.variables.resize(std::min(variables, scope_.variables.size()));
    tokens_.leave();
    return made;
  }

  void otherwise(Node& of) {
    const auto token = tokens_.peek();
    if (of.kind == Node::Kind::condition && token.type == Type::if_word) {
      tokens_.next();
      of.otherwise.push_back(control(Node::Kind::condition, token.line));
    } else if (list(of.otherwise) != Closed::by_end) {
      tokens_.fail(token.line, "an end is expected, not a second else");
    }
  }

  TokenReader tokens_;
  Scope scope_;
  PipelineParser pipelines_{tokens_, scope_.variables};
  Program program_;
};

}  // namespace

Result<Program> parse(std::string_view text) {
  if (text.size() > kMaxTemplateBytes) {
    return invalid(fmt::format("a template has at most {} bytes", kMaxTemplateBytes));
  }
  return Parser(text).run();
}

}  // namespace collect::templates
