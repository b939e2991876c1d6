// SPDX-License-Identifier: Apache-2.0
// Characters as Go's `unicode` and `unicode/utf8` see them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace collect::templates {

inline constexpr char32_t kReplacement = 0xFFFD;
inline constexpr char32_t kMaxRune = 0x10FFFF;

struct Rune {
  char32_t value = kReplacement;
  std::size_t size = 0;  // bytes taken; 1 where `valid` is false, 0 at the end of the text
  bool valid = false;
};

// The character at the start of `text`.
Rune first_rune(std::string_view text);

// What is no character (a surrogate, above U+10FFFF) becomes U+FFFD.
std::string to_utf8(char32_t rune);
bool is_rune(char32_t value);

bool is_letter_or_digit(char32_t rune);
// Letters, marks, numbers, punctuation, symbols, and of the spaces only ' '.
bool is_print(char32_t rune);
// `text` without the white space around it is empty.
bool is_blank(std::string_view text);

}  // namespace collect::templates
