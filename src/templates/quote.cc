// SPDX-License-Identifier: Apache-2.0
#include "templates/quote.h"

#include <fmt/format.h>

#include <algorithm>

#include "templates/unicode.h"

namespace collect::templates {
namespace {

constexpr char32_t kFirstNonAscii = 0x80;
constexpr char32_t kDelete = 0x7F;

std::string escape_go(char32_t rune, char quotation, bool ascii) {
  constexpr std::u32string_view kMeanings = U"\a\b\f\n\r\t\v";
  constexpr std::string_view kLetters = "abfnrtv";
  if (rune == static_cast<unsigned char>(quotation) || rune == '\\') return '\\' + to_utf8(rune);
  if (is_print(rune) && (!ascii || rune < kFirstNonAscii)) return to_utf8(rune);
  if (const auto at = kMeanings.find(rune); at != std::u32string_view::npos) return {'\\', kLetters[at]};
  if (rune < ' ' || rune == kDelete) return fmt::format("\\x{:02x}", static_cast<unsigned>(rune));
  if (!is_rune(rune)) rune = kReplacement;
  const auto number = static_cast<unsigned>(rune);
  return number < 0x10000 ? fmt::format("\\u{:04x}", number) : fmt::format("\\U{:08x}", number);
}

}  // namespace

std::string quote(std::string_view text, bool ascii) {
  std::string quoted = "\"";
  while (!text.empty()) {
    const auto rune = first_rune(text);
    quoted += rune.valid ? escape_go(rune.value, '"', ascii)
                         : fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    text.remove_prefix(rune.size);
  }
  return quoted + '"';
}

std::string quote_character(char32_t rune, bool ascii) {
  return "'" + escape_go(is_rune(rune) ? rune : kReplacement, '\'', ascii) + "'";
}

bool can_backquote(std::string_view text) {
  constexpr char32_t kByteOrderMark = 0xFEFF;
  while (!text.empty()) {
    const auto rune = first_rune(text);
    const bool control = (rune.value < ' ' && rune.value != '\t') || rune.value == kDelete;
    if (!rune.valid || control || rune.value == '`' || rune.value == kByteOrderMark) return false;
    text.remove_prefix(rune.size);
  }
  return true;
}

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '\0':
        escaped += to_utf8(kReplacement);
        break;
      case '"':
        escaped += "&#34;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string escape_js(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const auto rune = first_rune(text);
    const auto bytes = text.substr(0, rune.size);
    text.remove_prefix(rune.size);
    const bool marked = rune.value < ' ' || std::string_view("<>&=").find(bytes) != std::string_view::npos;
    if (bytes == "\\" || bytes == "'" || bytes == "\"") {
      escaped += '\\';
      escaped += bytes;
    } else if (marked || (rune.value >= kFirstNonAscii && !is_print(rune.value))) {
      escaped += fmt::format("\\u{:04X}", static_cast<unsigned>(rune.value));
    } else {
      escaped += bytes;
    }
  }
  return escaped;
}

std::string escape_url_query(std::string_view text) {
  const auto stays = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.~").find(c) != std::string_view::npos;
  };
  std::string escaped;
  for (const char c : text) {
    if (stays(c)) {
      escaped += c;
    } else if (c == ' ') {
      escaped += '+';
    } else {
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return escaped;
}

}  // namespace collect::templates
