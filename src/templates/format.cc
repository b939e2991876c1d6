// SPDX-License-Identifier: Apache-2.0
#include "templates/format.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "templates/format_value.h"
#include "templates/unicode.h"

namespace collect::templates {
namespace {

constexpr std::int64_t kLargest = 1'000'000;  // width, precision or index; Go has the same

bool is_text(const Value& value) {
  return std::holds_alternative<std::string_view>(value);
}

// Reads a format from left to right, taking one value per verb unless an index ("%[2]d") says otherwise.
class Formatter {
 public:
  Formatter(Output& out, std::string_view format, std::span<const Value> values)
      : out_(out), format_(format), values_(values) {}

  void run() {
    while (!out_.full()) {
      const auto percent = std::min(format_.find('%', at_), format_.size());
      out_.append(format_.substr(at_, percent - at_));
      if (percent == format_.size()) break;
      at_ = percent + 1;
      if (!directive()) break;
    }
    if (!reordered_ && next_ < values_.size()) extra();
  }

 private:
  [[nodiscard]] bool sees(char c) const { return at_ < format_.size() && format_[at_] == c; }

  bool take(char c) {
    const bool seen = sees(c);
    at_ += seen ? 1 : 0;
    return seen;
  }

  // False at the end of the format.
  bool directive() {
    directive_ = {};
    index_is_good_ = true;
    flags();
    bool indexed = index();
    indexed = width(indexed);
    if (at_ + 1 < format_.size() && take('.')) indexed = precision(indexed);
    if (!indexed) index();
    if (at_ >= format_.size()) {
      out_.append("%!(NOVERB)");
      return false;
    }
    const auto rune = first_rune(format_.substr(at_));
    at_ += rune.size;
    verb(rune.value);
    return true;
  }

  void flags() {
    for (; at_ < format_.size(); ++at_) {
      switch (format_[at_]) {
        case '#':
          directive_.sharp = true;
          break;
        case '0':
          directive_.zero = !directive_.minus;
          break;
        case '+':
          directive_.plus = true;
          break;
        case '-':
          directive_.minus = true;
          directive_.zero = false;
          break;
        case ' ':
          directive_.space = true;
          break;
        default:
          return;
      }
    }
  }

  // Whether an index was there and good.
  bool width(bool indexed) {
    if (!take('*')) {
      const auto number = literal();
      directive_.width = static_cast<std::size_t>(number.value_or(0));
      if (indexed && number) index_is_good_ = false;
      return indexed;
    }
    const auto number = from_values();
    if (!number) out_.append("%!(BADWIDTH)");
    if (number.value_or(0) < 0) {
      directive_.minus = true;
      directive_.zero = false;
    }
    directive_.width = static_cast<std::size_t>(std::abs(number.value_or(0)));
    return false;
  }

  bool precision(bool indexed) {
    if (indexed) index_is_good_ = false;
    indexed = index();
    if (!take('*')) {
      directive_.precision = static_cast<std::size_t>(literal().value_or(0));
      return indexed;
    }
    const auto number = from_values();
    if (number >= 0) {
      directive_.precision = static_cast<std::size_t>(*number);
    } else {
      out_.append("%!(BADPREC)");
    }
    return false;
  }

  std::optional<std::int64_t> literal() { return number_up_to(format_.size()); }

  // Digits, if there are any. A number that is too large takes all up to the end with it, as in Go.
  std::optional<std::int64_t> number_up_to(std::size_t end) {
    std::optional<std::int64_t> number;
    for (; at_ < end && format_[at_] >= '0' && format_[at_] <= '9'; ++at_) {
      if (number > kLargest) {
        at_ = end;
        return std::nullopt;
      }
      number = number.value_or(0) * 10 + (format_[at_] - '0');
    }
    return number;
  }

  // The next value where it is an integer of a sensible size.
  std::optional<std::int64_t> from_values() {
    if (next_ >= values_.size()) return std::nullopt;
    const auto& value = values_[next_++];
    std::optional<std::int64_t> number;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) number = *integer;
    if (const auto* byte = std::get_if<std::uint8_t>(&value)) number = *byte;
    if (number > kLargest || number < -kLargest) return std::nullopt;
    return number;
  }

  // "[3]": the third value is next. False where no number stands in the brackets, or none are there.
  bool index() {
    if (!sees('[')) return false;
    reordered_ = true;
    const auto close = format_.find(']', at_);
    const bool closed = close != std::string_view::npos && format_.size() - at_ >= 3;
    ++at_;
    const auto number = closed ? number_up_to(close) : std::nullopt;
    const bool is_number = number && at_ == close;
    if (closed) at_ = close + 1;
    if (is_number && *number >= 1 && static_cast<std::size_t>(*number) <= values_.size()) {
      next_ = static_cast<std::size_t>(*number - 1);
      return true;
    }
    index_is_good_ = false;
    return is_number;
  }

  void verb(char32_t verb) {
    if (verb == '%') {
      out_.append('%');
    } else if (!index_is_good_) {
      out_.append("%!" + to_utf8(verb) + "(BADINDEX)");
    } else if (next_ >= values_.size()) {
      out_.append("%!" + to_utf8(verb) + "(MISSING)");
    } else {
      if (verb == 'v') {
        directive_.sharp_v = std::exchange(directive_.sharp, false);
        directive_.plus = false;
      }
      write_value(out_, directive_, values_[next_++], verb);
    }
  }

  void extra() {
    out_.append("%!(EXTRA ");
    for (std::size_t at = next_; at < values_.size(); ++at) {
      if (at > next_) out_.append(", ");
      out_.append(type_name(values_[at]));
      if (is_nothing(values_[at])) continue;
      out_.append('=');
      write_value(out_, {}, values_[at], 'v');
    }
    out_.append(')');
  }

  Output& out_;
  std::string_view format_;
  std::span<const Value> values_;
  std::size_t at_ = 0;
  std::size_t next_ = 0;
  Directive directive_;
  bool index_is_good_ = true;
  bool reordered_ = false;
};

}  // namespace

void print(Output& out, std::span<const Value> values) {
  for (std::size_t at = 0; at < values.size(); ++at) {
    if (at > 0 && !is_text(values[at]) && !is_text(values[at - 1])) out.append(' ');
    write_value(out, {}, values[at], 'v');
  }
}

void print_line(Output& out, std::span<const Value> values) {
  for (std::size_t at = 0; at < values.size(); ++at) {
    if (at > 0) out.append(' ');
    write_value(out, {}, values[at], 'v');
  }
  out.append('\n');
}

void print_format(Output& out, std::string_view format, std::span<const Value> values) {
  Formatter(out, format, values).run();
}

}  // namespace collect::templates
