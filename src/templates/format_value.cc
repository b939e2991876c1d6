// SPDX-License-Identifier: Apache-2.0
#include "templates/format_value.h"

#include <string>

#include "templates/unicode.h"

namespace collect::templates {
namespace {

// One overload per kind; false where the kind does not have the verb.
class ByKind {
 public:
  ByKind(Output& out, const Directive& directive, char32_t verb)
      : out_(out), directive_(directive), verb_(verb < 0x80 ? static_cast<char>(verb) : '\0'), rune_(verb) {}

  bool operator()(Nothing) const {
    if (verb_ != 'v') return false;
    write_padded(out_, directive_, "<nil>");
    return true;
  }

  bool operator()(bool value) const {
    if (verb_ != 't' && verb_ != 'v') return false;
    write_padded(out_, directive_, value ? "true" : "false");
    return true;
  }

  bool operator()(std::string_view text) const {
    switch (verb_) {
      case 'v':
        directive_.sharp_v ? write_quoted(out_, directive_, text) : write_text(out_, directive_, text);
        return true;
      case 's':
        write_text(out_, directive_, text);
        return true;
      case 'x':
      case 'X':
        write_hex(out_, directive_, text, verb_);
        return true;
      case 'q':
        write_quoted(out_, directive_, text);
        return true;
      default:
        return false;
    }
  }

  bool operator()(std::int64_t number) const {
    const auto bits = static_cast<std::uint64_t>(number);
    return integer(bits, {number < 0 ? 0 - bits : bits, number < 0});
  }

  bool operator()(std::uint8_t number) const {
    if (verb_ != 'v' || !directive_.sharp_v) return integer(number, {number, false});
    auto hexadecimal = directive_;
    hexadecimal.sharp = true;
    write_integer(out_, hexadecimal, {number, false}, 'x');
    return true;
  }

  bool operator()(double number) const { return real(directive_, number); }

  bool operator()(const std::complex<double>& number) const {
    if (std::string_view("vbgGxXfFeE").find(verb_) == std::string_view::npos) return false;
    auto signed_directive = directive_;
    signed_directive.plus = true;
    out_.append('(');
    real(directive_, number.real());
    real(signed_directive, number.imag());
    out_.append("i)");
    return true;
  }

  bool operator()(const Values* values) const {
    // Go prints an address for %p, and for %w only what an error would say.
    if (verb_ == 'p' || verb_ == 'w') return false;
    out_.append(directive_.sharp_v ? "map[string]string{" : "map[");
    bool first = true;
    for (const auto& [name, text] : *values) {
      if (!first) out_.append(directive_.sharp_v ? ", " : " ");
      first = false;
      element(name);
      out_.append(':');
      element(text);
      if (out_.full()) break;
    }
    out_.append(directive_.sharp_v ? '}' : ']');
    return true;
  }

 private:
  void element(std::string_view text) const { write_value(out_, directive_, text, rune_); }

  bool integer(std::uint64_t bits, Magnitude magnitude) const {
    switch (verb_) {
      case 'v':
        write_integer(out_, directive_, magnitude, 'd');
        return true;
      case 'd':
      case 'b':
      case 'o':
      case 'O':
      case 'x':
      case 'X':
        write_integer(out_, directive_, magnitude, verb_);
        return true;
      case 'c':
        write_character(out_, directive_, bits);
        return true;
      case 'q':
        write_quoted_character(out_, directive_, bits);
        return true;
      case 'U':
        write_code_point(out_, directive_, bits);
        return true;
      default:
        return false;
    }
  }

  bool real(const Directive& directive, double number) const {
    constexpr std::size_t kDefaultPrecision = 6;
    switch (verb_) {
      case 'v':
        write_float(out_, directive, number, 'g', {});
        return true;
      case 'b':
      case 'g':
      case 'G':
      case 'x':
      case 'X':
        write_float(out_, directive, number, verb_, {});
        return true;
      case 'f':
      case 'F':
      case 'e':
      case 'E':
        write_float(out_, directive, number, verb_ == 'F' ? 'f' : verb_, kDefaultPrecision);
        return true;
      default:
        return false;
    }
  }

  Output& out_;
  const Directive& directive_;
  char verb_;  // '\0' where it is none that any kind has
  char32_t rune_;
};

}  // namespace

void write_value(Output& out, const Directive& directive, const Value& value, char32_t verb) {
  if (verb == 'T') {
    // The name of no type at all is not cut to the precision.
    is_nothing(value) ? write_padded(out, directive, type_name(value))
                      : write_text(out, directive, type_name(value));
    return;
  }
  if (std::visit(ByKind(out, directive, verb), value)) return;
  out.append("%!" + to_utf8(verb) + "(");
  out.append(type_name(value));
  if (!is_nothing(value)) {
    out.append('=');
    write_value(out, directive, value, 'v');
  }
  out.append(')');
}

}  // namespace collect::templates
