// SPDX-License-Identifier: Apache-2.0
#include "app/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/json.h"
#include "base/utf8.h"

namespace collect::app {
namespace {

std::string_view escape_of(Colour colour) {
  switch (colour) {
    case Colour::none:
      return "";
    case Colour::dim:
      return "\033[2m";
    case Colour::green:
      return "\033[32m";
    case Colour::yellow:
      return "\033[33m";
    case Colour::red:
      return "\033[31m";
    case Colour::bold_red:
      return "\033[1;31m";
  }
  return "";
}

// Senders choose these texts; a terminal must not obey them.
std::string harmless(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return out;
}

std::string words_of(const json::Value& value) {
  switch (value.type) {
    case json::Type::string:
      return value.text.empty() ? "\"\"" : std::string(value.text);
    case json::Type::object:
      return value.members.empty()
                 ? "{}"
                 : fmt::format("{{{} field{}}}", value.members.size(), value.members.size() == 1 ? "" : "s");
    case json::Type::array: {
      const bool scalars = std::none_of(value.elements.begin(), value.elements.end(),
                                        [](const json::Value& e) { return e.is_container(); });
      if (!scalars)
        return fmt::format("[{} item{}]", value.elements.size(), value.elements.size() == 1 ? "" : "s");
      std::string out;
      for (const json::Value& element : value.elements) out += (out.empty() ? "" : ", ") + words_of(element);
      return "[" + out + "]";
    }
    default:
      return json::to_text(value);
  }
}

}  // namespace

std::string coloured(std::string_view text, Colour colour) {
  static const bool colours = isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;  // NOLINT
  if (!colours || colour == Colour::none) return std::string(text);
  return fmt::format("{}{}\033[0m", escape_of(colour), text);
}

Colour severity_colour(std::string_view severity) {
  if (severity == "critical") return Colour::bold_red;
  if (severity == "high") return Colour::red;
  if (severity == "medium") return Colour::yellow;
  return Colour::none;
}

std::string Table::text(std::string_view indent) const {
  std::vector<std::size_t> widths;
  const auto widen = [&](std::size_t column, std::string_view cell) {
    if (widths.size() <= column) widths.resize(column + 1);
    widths[column] = std::max(widths[column], utf8_count(cell));
  };
  for (std::size_t i = 0; i < headings_.size(); ++i) widen(i, headings_[i]);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widen(i, row[i].text);
  }
  std::string out;
  const auto line = [&](const std::vector<Cell>& cells) {
    out += indent;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string text = harmless(cells[i].text);
      out += coloured(text, cells[i].colour);
      if (i + 1 < cells.size()) out.append(widths[i] - utf8_count(text) + 2, ' ');
    }
    out += '\n';
  };
  if (!headings_.empty()) {
    std::vector<Cell> cells;
    for (const std::string& heading : headings_) cells.push_back({heading, Colour::dim});
    line(cells);
  }
  for (const auto& row : rows_) line(row);
  return out;
}

std::string shortened(std::string_view text, std::size_t width) {
  if (utf8_count(text) <= width) return std::string(text);
  return std::string(utf8_prefix(text, width - 1)) + "…";
}

std::string short_value(std::string_view json, std::size_t width) {
  const auto document = json::Document::parse_checked(json);
  return shortened(document ? words_of(document->root()) : std::string(json), width);
}

}  // namespace collect::app
