// SPDX-License-Identifier: Apache-2.0
// What a person sees: tables, colours where standard output is a terminal, short forms of values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace collect::app {

enum class Colour { none, dim, green, yellow, red, bold_red };

// The text in that colour; as it is when standard output is no terminal or NO_COLOR is set.
std::string coloured(std::string_view text, Colour colour);
Colour severity_colour(std::string_view severity);

// Columns as wide as their widest cell, two blanks apart. Cells are what a person sees: control characters
// that came from elsewhere are shown as '?'.
class Table {
 public:
  struct Cell {
    std::string text;
    Colour colour = Colour::none;
  };
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}
  void add(std::vector<Cell> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] std::string text(std::string_view indent = "") const;

 private:
  std::vector<std::string> headings_;  // empty: no heading line
  std::vector<std::vector<Cell>> rows_;
};

// A JSON value in a few words: a text without quotes, "{7 fields}", "[a, b]"; at most `width` characters.
std::string short_value(std::string_view json, std::size_t width);
std::string shortened(std::string_view text, std::size_t width);

}  // namespace collect::app
