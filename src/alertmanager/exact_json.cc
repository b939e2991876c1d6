// SPDX-License-Identifier: Apache-2.0
#include "alertmanager/exact_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace collect::alertmanager {
namespace {

// The end of the string whose opening quote stands at `at`: behind its closing quote.
std::size_t string_end(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

// Behind the first value, as far as brackets and quotes tell.
std::size_t first_value_end(std::string_view text) {
  std::size_t depth = 0;
  std::size_t at = text.find_first_not_of(" \t\r\n");
  if (at == std::string_view::npos) return text.size();
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = string_end(text, at);
    } else if (depth == 0 && c != '[' && c != '{') {
      at = std::min(text.find_first_of(" \t\r\n,[{\"", at + 1), text.size());
    } else {
      if (c == '[' || c == '{') ++depth;
      if (c == ']' || c == '}') --depth;
      ++at;
    }
    if (depth == 0) return at;
  }
  return text.size();
}

bool has_trailing_data(std::string_view text) {
  const std::size_t end = first_value_end(text);
  return text.find_first_not_of(" \t\r\n", end) != std::string_view::npos &&
         json::check(text.substr(0, end)).ok();
}

// In a text that is JSON, every member has one colon outside of strings.
std::size_t members_written(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      at = string_end(text, at);
    } else {
      count += text[at] == ':' ? 1 : 0;
      ++at;
    }
  }
  return count;
}

// In the tree duplicates are resolved already.
std::size_t members_kept(const json::Value& value) {
  std::size_t count = value.members.size();
  for (const json::Member& member : value.members) count += members_kept(member.value);
  for (const json::Value& element : value.elements) count += members_kept(element);
  return count;
}

}  // namespace

std::string_view to_string(Smell smell) {
  switch (smell) {
    case Smell::none:
      return "none";
    case Smell::duplicate_key:
      return "duplicate_key";
    case Smell::trailing_data:
      return "trailing_data";
    case Smell::foreign_silence:
      return "foreign_silence";
    case Smell::path_trick:
      return "path_trick";
  }
  return "none";
}

std::variant<json::Document, Refusal> parse_exact(std::string_view text) {
  auto document = json::Document::parse(text);
  if (!document) {
    if (has_trailing_data(text))
      return Refusal{400, "expected exactly one JSON value, got something after it", Smell::trailing_data};
    return Refusal{400, "expected JSON: " + document.failure().message, Smell::none};
  }
  const std::size_t written = members_written(text);
  const std::size_t kept = members_kept(document->root());
  if (written != kept) {
    return Refusal{
        400,
        fmt::format("expected no object with the same key twice, got {} of {} members with a key that "
                    "was there before",
                    written - kept, written),
        Smell::duplicate_key};
  }
  return *std::move(document);
}

}  // namespace collect::alertmanager
