// SPDX-License-Identifier: Apache-2.0
#include "templates/functions.h"

#include <algorithm>
#include <string>
#include <vector>

#include "templates/comparison.h"
#include "templates/format.h"
#include "templates/quote.h"

namespace collect::templates {
namespace {

using Arguments = std::span<const Value>;

constexpr std::string_view kNoValue = "<no value>";

Failure too_long() {
  return invalid("a function made more text than a rendering may have");
}

Result<Value> keep(Output&& out, Workspace& workspace) {
  if (out.full()) return too_long();
  workspace.spend_bytes(out.text().size());
  return Value(workspace.keep(std::move(out).text()));
}

Result<Value> print_plain(Arguments arguments, Workspace& workspace) {
  Output out(workspace.text_limit());
  print(out, arguments);
  return keep(std::move(out), workspace);
}

Result<Value> print_lines(Arguments arguments, Workspace& workspace) {
  Output out(workspace.text_limit());
  print_line(out, arguments);
  return keep(std::move(out), workspace);
}

Result<Value> print_formatted(Arguments arguments, Workspace& workspace) {
  const auto* format = std::get_if<std::string_view>(&arguments[0]);
  if (format == nullptr) return invalid("printf expects a text as its format");
  if (!workspace.spend_bytes(format->size())) return too_long();
  Output out(workspace.text_limit());
  print_format(out, *format, arguments.subspan(1));
  return keep(std::move(out), workspace);
}

template <std::string (*escape)(std::string_view)>
Result<Value> escaped(Arguments arguments, Workspace& workspace) {
  // Unlike print, these show nothing as the actions do.
  std::vector<Value> shown(arguments.begin(), arguments.end());
  std::replace_if(shown.begin(), shown.end(), is_nothing, Value(kNoValue));
  Output plain(workspace.text_limit());
  print(plain, shown);
  if (plain.full()) return too_long();
  Output out(workspace.text_limit());
  out.append(escape(plain.text()));
  return keep(std::move(out), workspace);
}

Result<Value> length(Arguments arguments, Workspace& /*workspace*/) {
  if (const auto* text = std::get_if<std::string_view>(&arguments[0])) {
    return Value(static_cast<std::int64_t>(text->size()));
  }
  if (const auto* values = std::get_if<const Values*>(&arguments[0])) {
    return Value(static_cast<std::int64_t>((*values)->size()));
  }
  return invalid("len expects a text or the map");
}

// At most `size`.
Result<std::size_t> position(const Value& index, std::size_t size) {
  std::int64_t number = -1;
  if (const auto* integer = std::get_if<std::int64_t>(&index)) {
    number = *integer;
  } else if (const auto* byte = std::get_if<std::uint8_t>(&index)) {
    number = *byte;
  } else {
    return invalid("a position in a text is an integer");
  }
  if (number < 0 || static_cast<std::uint64_t>(number) > size)
    return invalid("a position lies outside of its text");
  return static_cast<std::size_t>(number);
}

Result<Value> element(const Value& item, const Value& index) {
  if (const auto* text = std::get_if<std::string_view>(&item)) {
    const auto at = position(index, text->size());
    if (!at) return at.failure();
    if (*at == text->size()) return invalid("a position lies outside of its text");
    return Value(static_cast<std::uint8_t>((*text)[*at]));
  }
  const auto* values = std::get_if<const Values*>(&item);
  const auto* key = std::get_if<std::string_view>(&index);
  if (values == nullptr) return invalid("index expects a text or the map");
  if (key == nullptr) return invalid("index expects a text as the map's key");
  const auto found = (*values)->find(*key);
  // As Go's map[string]string: unlike {{.name}}, a missing element is an empty text.
  return Value(found == (*values)->end() ? std::string_view() : std::string_view(found->second));
}

Result<Value> index(Arguments arguments, Workspace& /*workspace*/) {
  if (is_nothing(arguments[0])) return invalid("index expects a text or the map, not nothing");
  Value item = arguments[0];
  for (const auto& key : arguments.subspan(1)) {
    auto next = element(item, key);
    if (!next) return next;
    item = *next;
  }
  return item;
}

Result<Value> slice(Arguments arguments, Workspace& /*workspace*/) {
  const auto* text = std::get_if<std::string_view>(&arguments[0]);
  if (text == nullptr || arguments.size() > 3)
    return invalid("slice expects a text and at most two positions");
  std::size_t bounds[] = {0, text->size()};
  for (std::size_t at = 1; at < arguments.size(); ++at) {
    const auto bound = position(arguments[at], text->size());
    if (!bound) return bound.failure();
    bounds[at - 1] = *bound;
  }
  if (bounds[0] > bounds[1]) return invalid("a slice ends before it begins");
  return Value(text->substr(bounds[0], bounds[1] - bounds[0]));
}

Result<Value> call(Arguments /*arguments*/, Workspace& /*workspace*/) {
  return invalid("call expects a function, and a map of texts holds none");
}

Result<Value> negate(Arguments arguments, Workspace& /*workspace*/) {
  return Value(!truth(arguments[0]));
}

std::size_t text_size(const Value& value) {
  const auto* text = std::get_if<std::string_view>(&value);
  return text == nullptr ? 0 : text->size();
}

Result<Value> flag(const Result<bool>& result, bool inverted = false) {
  if (!result) return result.failure();
  return Value(*result != inverted);
}

Result<Value> equal(Arguments arguments, Workspace& workspace) {
  if (arguments.size() < 2) return invalid("eq expects at least two values");
  workspace.spend_bytes((arguments.size() - 1) * text_size(arguments[0]));
  return flag(equals_any(arguments[0], arguments.subspan(1)));
}

Result<Value> not_equal(Arguments arguments, Workspace& workspace) {
  workspace.spend_bytes(text_size(arguments[0]));
  return flag(equals_any(arguments[0], arguments.subspan(1)), true);
}

template <bool inverted>
Result<Value> less(Arguments arguments, Workspace& workspace) {
  workspace.spend_bytes(text_size(arguments[0]));
  return flag(is_less(arguments[0], arguments[1]), inverted);
}

// a <= b is not b < a: none of our numbers is NaN.
template <bool inverted>
Result<Value> greater(Arguments arguments, Workspace& workspace) {
  const Value swapped[] = {arguments[1], arguments[0]};
  return less<inverted>(swapped, workspace);
}

constexpr std::size_t kAny = Function::kAny;

constexpr Function kFunctions[] = {
    {"and", 1, kAny, false, nullptr},
    {"or", 1, kAny, true, nullptr},
    {"not", 1, 1, {}, negate},
    {"eq", 1, kAny, {}, equal},
    {"ne", 2, 2, {}, not_equal},
    {"lt", 2, 2, {}, less<false>},
    {"ge", 2, 2, {}, less<true>},
    {"gt", 2, 2, {}, greater<false>},
    {"le", 2, 2, {}, greater<true>},
    {"len", 1, 1, {}, length},
    {"index", 1, kAny, {}, index},
    {"slice", 1, kAny, {}, slice},
    {"print", 0, kAny, {}, print_plain},
    {"println", 0, kAny, {}, print_lines},
    {"printf", 1, kAny, {}, print_formatted},
    {"html", 0, kAny, {}, escaped<escape_html>},
    {"js", 0, kAny, {}, escaped<escape_js>},
    {"urlquery", 0, kAny, {}, escaped<escape_url_query>},
    {"call", 1, kAny, {}, call},
};

}  // namespace

const Function* find_function(std::string_view name) {
  const auto* const found = std::find_if(std::begin(kFunctions), std::end(kFunctions),
                                         [&](const Function& function) { return function.name == name; });
  return found == std::end(kFunctions) ? nullptr : found;
}

}  // namespace collect::templates
