// SPDX-License-Identifier: Apache-2.0
// UTF-8 (RFC 3629) by hand, for the places where a library would hide the position.
#pragma once

#include <cstddef>
#include <string_view>

namespace collect {

// Bytes of the character at the start of `text`; 0 when it is not valid UTF-8 (overlong, surrogate, cut,
// above U+10FFFF).
std::size_t utf8_length(std::string_view text);

// Characters in `text` (every byte that starts no valid character counts as one).
std::size_t utf8_count(std::string_view text);

// The longest prefix of at most `characters` characters.
std::string_view utf8_prefix(std::string_view text, std::size_t characters);

}  // namespace collect
