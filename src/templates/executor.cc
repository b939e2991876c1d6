// SPDX-License-Identifier: Apache-2.0
// Walks the nodes. The first failure stays and ends every loop; until then, what follows it works on nothing.
#include "templates/executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "templates/format.h"
#include "templates/output.h"

namespace collect::templates {
namespace {

// Nodes, parentheses and calls in each other. Keeps the stack small where recursion and nesting multiply.
constexpr std::size_t kMaxNesting = 1000;

enum class Flow { on, leave, skip };

class Execution {
 public:
  Execution(const Program& program, const Values& values, const Limits& limits)
      : program_(program),
        limits_(limits),
        workspace_(limits.steps, limits.output_bytes),
        out_(limits.output_bytes) {
    variables_.push_back({"$", &values});
  }

  Result<std::string> run() {
    const Value dot = variables_[0].value;
    nodes(program_.main, dot);
    if (failure_) return *std::move(failure_);
    return std::move(out_).text();
  }

 private:
  struct Variable {
    std::string_view name;
    Value value;
  };
  using Arguments = std::span<const Operand>;

  void fail(std::size_t line, std::string_view what) {
    if (!failure_) failure_ = invalid(fmt::format("line {}: {}", line, what));
  }

  // One step. False where the rendering is over.
  bool step(std::size_t line) {
    if (!workspace_.spend(1)) fail(line, fmt::format("more than {} steps", limits_.steps));
    if (out_.full()) fail(line, fmt::format("more than {} bytes of text", limits_.output_bytes));
    return !failure_;
  }

  bool enter(std::size_t line) {
    if (nesting_ == kMaxNesting) fail(line, "the nesting is too deep");
    if (!step(line)) return false;
    ++nesting_;
    return true;
  }

  Flow nodes(const Nodes& nodes, const Value& dot) {
    for (const auto& node : nodes) {
      if (!enter(node.line)) return Flow::leave;
      const auto flow = this->node(node, dot);
      --nesting_;
      if (flow != Flow::on) return flow;
    }
    return Flow::on;
  }

  Flow node(const Node& node, const Value& dot) {
    switch (node.kind) {
      case Node::Kind::text:
        out_.append(node.text);
        break;
      case Node::Kind::action:
        show(pipeline(*node.pipeline, dot), *node.pipeline);
        break;
      case Node::Kind::condition:
      case Node::Kind::with:
        return choose(node, dot);
      case Node::Kind::range:
        return range(node, dot);
      case Node::Kind::invocation:
        invoke(node, dot);
        break;
      case Node::Kind::leave:
        return Flow::leave;
      case Node::Kind::skip:
        return Flow::skip;
    }
    if (out_.full()) step(node.line);
    return Flow::on;
  }

  void show(const Value& value, const Pipeline& of) {
    if (failure_ || !of.variables.empty()) return;
    if (is_nothing(value)) return out_.append("<no value>");
    print(out_, {&value, 1});
  }

  Flow choose(const Node& node, const Value& dot) {
    const auto mark = variables_.size();
    const auto value = pipeline(*node.pipeline, dot);
    const bool holds = truth(value);
    const auto flow =
        nodes(holds ? node.body : node.otherwise, holds && node.kind == Node::Kind::with ? value : dot);
    variables_.resize(mark);
    return flow;
  }

  Flow range(const Node& node, const Value& dot) {
    const auto mark = variables_.size();
    const auto over = pipeline(*node.pipeline, dot);
    const auto* values = std::get_if<const Values*>(&over);
    if (values == nullptr && !is_nothing(over)) fail(node.line, "a range expects the map");
    auto flow = Flow::on;
    if (values == nullptr || (*values)->empty()) {
      // A break there belongs to an outer range for the parser, but Go's executor ends this one only.
      flow = nodes(node.otherwise, dot) == Flow::skip ? Flow::skip : Flow::on;
    } else {
      rounds(node, **values);
    }
    variables_.resize(mark);
    return flow;
  }

  void rounds(const Node& node, const Values& values) {
    const auto mark = variables_.size();
    for (const auto& [name, text] : values) {
      if (!step(node.line) || !next_round(node, name, text)) return;
      const auto flow = nodes(node.body, std::string_view(text));
      variables_.resize(mark);
      if (flow == Flow::leave) return;
    }
  }

  // The variables at the top, declared by the range or not: so does Go 1.19, where "=" is no different.
  bool next_round(const Node& node, std::string_view name, std::string_view text) {
    const auto count = node.pipeline->variables.size();
    if (count > variables_.size()) {
      fail(node.line, "a range expects its variables to be declared");
      return false;
    }
    if (count > 0) variables_.end()[-1].value = text;
    if (count > 1) variables_.end()[-2].value = name;
    return true;
  }

  void invoke(const Node& node, const Value& dot) {
    const auto found = program_.named.find(node.text);
    if (found == program_.named.end()) return fail(node.line, "there is no template of that name");
    if (depth_ == limits_.depth)
      return fail(node.line, fmt::format("more than {} templates deep", limits_.depth));
    const auto value = node.pipeline ? pipeline(*node.pipeline, dot) : Value();
    if (failure_) return;
    auto outer = std::exchange(variables_, {{"$", value}});
    ++depth_;
    nodes(found->second, value);
    --depth_;
    variables_ = std::move(outer);
  }

  Value pipeline(const Pipeline& pipeline, const Value& dot) {
    if (!enter(pipeline.line)) return {};
    Value value;
    const Value* previous = nullptr;
    for (const auto& command : pipeline.commands) {
      if (command[0].kind == Operand::Kind::nil) fail(pipeline.line, "nil is expected as an argument only");
      value = evaluate(command[0], Arguments(command).subspan(1), previous, dot);
      previous = &value;
      if (failure_) break;
    }
    for (const auto& name : pipeline.variables) {
      if (pipeline.assigns) {
        assign(name, value, pipeline.line);
      } else {
        variables_.push_back({name, value});
      }
    }
    --nesting_;
    return value;
  }

  Variable* find(std::string_view name) {
    const auto found = std::find_if(variables_.rbegin(), variables_.rend(),
                                    [&](const Variable& variable) { return variable.name == name; });
    return found == variables_.rend() ? nullptr : &*found;
  }

  void assign(std::string_view name, const Value& value, std::size_t line) {
    auto* const variable = find(name);
    if (variable == nullptr) return fail(line, "a variable is expected to be declared before it is assigned");
    variable->value = value;
  }

  // A command, or with neither arguments nor a previous value an operand of one.
  Value evaluate(const Operand& operand, Arguments arguments, const Value* previous, const Value& dot) {
    const bool given = !arguments.empty() || previous != nullptr;
    switch (operand.kind) {
      case Operand::Kind::function:
        return call(operand, arguments, previous, dot);
      case Operand::Kind::field:
        return field(dot, operand, given);
      case Operand::Kind::chain:
        return field(evaluate(*operand.base, {}, nullptr, dot), operand, given);
      case Operand::Kind::variable:
        return variable(operand, given);
      default:
        break;
    }
    if (given) {
      fail(operand.line, "arguments are expected after a function only");
      return {};
    }
    return plain(operand, dot);
  }

  Value plain(const Operand& operand, const Value& dot) {
    switch (operand.kind) {
      case Operand::Kind::constant:
        return operand.constant;
      case Operand::Kind::text:
        return std::string_view(operand.name);
      case Operand::Kind::dot:
        return dot;
      case Operand::Kind::pipeline:
        return pipeline(*operand.pipeline, dot);
      case Operand::Kind::overflow:
        fail(operand.line, "an integer is larger than an integer can be");
        break;
      default:
        break;
    }
    return {};
  }

  Value variable(const Operand& operand, bool given) {
    const auto* const found = find(operand.name);
    if (found == nullptr) {
      fail(operand.line, "a variable is not declared here");
      return {};
    }
    if (operand.fields.empty() && given) fail(operand.line, "arguments are expected after a function only");
    return field(found->value, operand, given);
  }

  // .a.b.c of a value: of the map its text, of nothing nothing, of anything else an error.
  Value field(Value value, const Operand& operand, bool given) {
    for (const auto& name : operand.fields) {
      if (is_nothing(value)) return {};
      const auto* const values = std::get_if<const Values*>(&value);
      if (values == nullptr) {
        fail(operand.line, "a field is expected of the map only");
        return {};
      }
      if (given && &name == &operand.fields.back()) fail(operand.line, "a label takes no arguments");
      const auto found = (*values)->find(name);
      value = found == (*values)->end() ? Value() : Value(std::string_view(found->second));
    }
    return value;
  }

  Value call(const Operand& operand, Arguments arguments, const Value* previous, const Value& dot) {
    const auto& function = *operand.function;
    const auto count = arguments.size() + (previous != nullptr ? 1 : 0);
    if (count < function.least_arguments || count > function.most_arguments) {
      fail(operand.line, fmt::format("{} does not expect {} arguments", function.name, count));
    }
    if (!enter(operand.line)) return {};
    const auto value = function.stops_at ? shortened(*function.stops_at, arguments, previous, dot)
                                         : applied(operand, arguments, previous, dot);
    --nesting_;
    return value;
  }

  Value shortened(bool stops_at, Arguments arguments, const Value* previous, const Value& dot) {
    Value value;
    for (const auto& argument : arguments) {
      value = this->argument(argument, dot);
      if (failure_ || truth(value) == stops_at) return value;
    }
    return previous != nullptr ? *previous : value;
  }

  Value applied(const Operand& operand, Arguments arguments, const Value* previous, const Value& dot) {
    std::vector<Value> values;
    values.reserve(arguments.size() + 1);
    for (const auto& argument : arguments) values.push_back(this->argument(argument, dot));
    if (previous != nullptr) values.push_back(*previous);
    if (failure_) return {};
    const auto result = operand.function->body(values, workspace_);
    if (result) return *result;
    fail(operand.line, result.failure().message);
    return {};
  }

  Value argument(const Operand& operand, const Value& dot) {
    if (!step(operand.line)) return {};
    return evaluate(operand, {}, nullptr, dot);
  }

  const Program& program_;
  const Limits& limits_;
  Workspace workspace_;
  Output out_;
  std::vector<Variable> variables_;
  std::optional<Failure> failure_;
  std::size_t depth_ = 0;
  std::size_t nesting_ = 0;
};

}  // namespace

Result<std::string> execute(const Program& program, const Values& values, const Limits& limits) {
  return Execution(program, values, limits).run();
}

}  // namespace collect::templates
