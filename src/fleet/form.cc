// SPDX-License-Identifier: Apache-2.0
#include "fleet/form.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace collect::fleet {
namespace {

std::int64_t read_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    throw std::invalid_argument("no number: " + std::string(text));
  return number;
}

}  // namespace

Form::Form(std::string_view text, Dice& dice) {
  for (;;) {
    const auto open = text.find('@');
    literals_ += text.substr(0, open);
    if (open == std::string_view::npos) break;
    const auto close = text.find('@', open + 1);
    if (close == std::string_view::npos) throw std::invalid_argument("a blank without an end");
    const auto inside = text.substr(open + 1, close - open - 1);
    const auto colon = inside.find(':');
    const auto index = find_or_add(inside.substr(0, colon));
    cuts_.push_back({literals_.size(), index});
    if (colon != std::string_view::npos) {
      const auto range = inside.substr(colon + 1);
      const auto dash = range.find('-');
      const auto lowest = read_number(range.substr(0, dash));
      const auto highest = read_number(range.substr(dash + 1));
      blanks_[index].value = std::to_string(dice.between(lowest, highest));
    }
    text.remove_prefix(close + 1);
  }
}

std::size_t Form::find_or_add(std::string_view name) {
  const auto found =
      std::find_if(blanks_.begin(), blanks_.end(), [&](const Blank& b) { return b.name == name; });
  const auto index = static_cast<std::size_t>(found - blanks_.begin());
  if (found == blanks_.end()) blanks_.push_back({std::string(name), {}});
  return index;
}

const Form::Blank& Form::blank(std::string_view name) const {
  for (const auto& blank : blanks_) {
    if (blank.name == name) return blank;
  }
  throw std::out_of_range("no blank is called " + std::string(name));
}

Form::Blank& Form::blank(std::string_view name) {
  for (auto& blank : blanks_) {
    if (blank.name == name) return blank;
  }
  throw std::out_of_range("no blank is called " + std::string(name));
}

Form& Form::set(std::string_view name, std::string_view value) {
  blank(name).value = value;
  return *this;
}

Form& Form::set(std::string_view name, std::int64_t value) {
  blank(name).value = std::to_string(value);
  return *this;
}

const std::string& Form::value(std::string_view name) const {
  return blank(name).value;
}

bool Form::has(std::string_view name) const {
  return std::any_of(blanks_.begin(), blanks_.end(), [&](const Blank& b) { return b.name == name; });
}

std::int64_t Form::number(std::string_view name) const {
  return read_number(blank(name).value);
}

std::int64_t Form::add(std::string_view name, std::int64_t number) {
  auto& value = blank(name).value;
  const auto sum = read_number(value) + number;
  value = std::to_string(sum);
  return sum;
}

void Form::drift(std::string_view name, std::int64_t by, std::int64_t lowest, std::int64_t highest,
                 Dice& dice) {
  auto& value = blank(name).value;
  value = std::to_string(std::clamp(read_number(value) + dice.between(-by, by), lowest, highest));
}

void Form::append_to(std::string& out) const {
  std::size_t from = 0;
  for (const auto& cut : cuts_) {
    out.append(literals_, from, cut.at - from);
    out += blanks_[cut.blank].value;
    from = cut.at;
  }
  out.append(literals_, from);
}

std::string json_list(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const auto& text : texts) {
    if (list.size() > 1) list += ", ";
    list += '"';
    list += text;
    list += '"';
  }
  return list + "]";
}

}  // namespace collect::fleet
