// SPDX-License-Identifier: Apache-2.0
// A template after parsing: what the executor walks. Lines are for messages.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "templates/functions.h"
#include "templates/value.h"

namespace collect::templates {

struct Pipeline;

struct Operand {
  enum class Kind {
    nil,
    constant,  // a boolean or a number: `constant`
    overflow,  // an integer that does not fit
    text,      // `name`
    dot,
    field,     // `fields` of dot
    variable,  // `name` with its $, then `fields` of it
    function,
    pipeline,  // in parentheses
    chain,     // `fields` of `base`
  };
  Kind kind = Kind::nil;
  std::size_t line = 0;
  Value constant;
  std::string name;
  const Function* function = nullptr;
  std::vector<std::string> fields;
  std::unique_ptr<Pipeline> pipeline;
  std::unique_ptr<Operand> base;
};

// What comes first decides what the others are for. Never empty.
using Command = std::vector<Operand>;

struct Pipeline {
  std::size_t line = 0;
  bool assigns = false;                // "=", not ":="
  std::vector<std::string> variables;  // that get the value; two in a range
  std::vector<Command> commands;
};

struct Node {
  enum class Kind {
    text,
    action,
    condition,
    with,
    range,
    invocation,  // {{template}} and {{block}}
    leave,       // {{break}}
    skip,        // {{continue}}
  };
  Kind kind = Kind::text;
  std::size_t line = 0;
  std::string text;                  // itself, or the template's name
  std::optional<Pipeline> pipeline;  // an invocation may do without
  std::vector<Node> body;
  std::vector<Node> otherwise;
};

using Nodes = std::vector<Node>;

struct Program {
  Nodes main;
  std::map<std::string, Nodes, std::less<>> named;  // by {{define}} and {{block}}
};

}  // namespace collect::templates
