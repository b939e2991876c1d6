// SPDX-License-Identifier: Apache-2.0
// One % of Go's fmt (https://pkg.go.dev/fmt#hdr-Printing): its flags, and each kind of value written with
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "templates/output.h"

namespace collect::templates {

struct Directive {
  bool sharp = false;
  bool zero = false;
  bool plus = false;
  bool minus = false;
  bool space = false;
  bool sharp_v = false;  // %#v: Go syntax; then `sharp` is not set
  std::size_t width = 0;
  std::optional<std::size_t> precision;
};

// What a number is before its sign was taken off.
struct Magnitude {
  std::uint64_t value = 0;
  bool negative = false;
};

// Padded to the width; characters count, not bytes.
void write_padded(Output& out, const Directive& directive, std::string_view text);
// %s, also cut to the precision.
void write_text(Output& out, const Directive& directive, std::string_view text);
// %x, %X
void write_hex(Output& out, const Directive& directive, std::string_view bytes, char verb);
// %q of a text
void write_quoted(Output& out, const Directive& directive, std::string_view text);
// %d %b %o %O %x %X
void write_integer(Output& out, const Directive& directive, Magnitude number, char verb);
// %c, %q and %U of a number; what is no character is U+FFFD in %c and %q
void write_character(Output& out, const Directive& directive, std::uint64_t code);
void write_quoted_character(Output& out, const Directive& directive, std::uint64_t code);
void write_code_point(Output& out, const Directive& directive, std::uint64_t code);
// `style` as in float_text(); `precision` where the directive has none
void write_float(Output& out, const Directive& directive, double number, char style,
                 std::optional<std::size_t> precision);

}  // namespace collect::templates
