// SPDX-License-Identifier: Apache-2.0
#include "fuzz/plain_json.h"

#include <cstddef>
#include <cstdlib>
#include <string>

#include "base/utf8.h"

namespace collect::fuzz {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool all() {
    space();
    if (!value(1)) return false;
    space();
    return rest_.empty();
  }

 private:
  static constexpr int kLevels = 512;

  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void space() {
    while (take(" ") || take("\t") || take("\n") || take("\r")) {
    }
  }

  // `level` is that of a container that begins here.
  bool value(int level) {
    if (rest_.starts_with('{')) return level <= kLevels && object(level);
    if (rest_.starts_with('[')) return level <= kLevels && array(level);
    if (rest_.starts_with('"')) return string();
    return take("true") || take("false") || take("null") || number();
  }

  bool object(int level) {
    take("{");
    space();
    if (take("}")) return true;
    do {
      space();
      if (!string()) return false;
      space();
      if (!take(":")) return false;
      space();
      if (!value(level + 1)) return false;
      space();
    } while (take(","));
    return take("}");
  }

  bool array(int level) {
    take("[");
    space();
    if (take("]")) return true;
    do {
      space();
      if (!value(level + 1)) return false;
      space();
    } while (take(","));
    return take("]");
  }

  bool string() {
    if (!take("\"")) return false;
    while (!take("\"")) {
      if (rest_.empty() || static_cast<unsigned char>(rest_.front()) < 0x20) return false;
      if (rest_.front() == '\\') {
        if (!escape()) return false;
        continue;
      }
      const std::size_t length = utf8_length(rest_);
      if (length == 0) return false;
      rest_.remove_prefix(length);
    }
    return true;
  }

  // Four hexadecimal digits after \u, or -1.
  int code_unit() {
    if (!take("\\u") || rest_.size() < 4) return -1;
    const std::string digits(rest_.substr(0, 4));
    if (digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) return -1;
    rest_.remove_prefix(4);
    return static_cast<int>(std::strtol(digits.c_str(), nullptr, 16));
  }

  bool escape() {
    if (!rest_.starts_with("\\u")) {
      if (rest_.size() < 2 || std::string_view("\"\\/bfnrt").find(rest_[1]) == std::string_view::npos) {
        return false;
      }
      rest_.remove_prefix(2);
      return true;
    }
    const int unit = code_unit();
    if (unit <= 0) return false;
    if (unit < 0xD800 || unit > 0xDFFF) return true;
    if (unit > 0xDBFF) return false;
    const int low = code_unit();
    return low >= 0xDC00 && low <= 0xDFFF;
  }

  std::string_view digits() {
    const std::string_view run = rest_.substr(0, rest_.find_first_not_of("0123456789"));
    rest_.remove_prefix(run.size());
    return run;
  }

  bool number() {
    take("-");
    const std::string_view before = digits();
    if (before.empty() || (before.size() > 1 && before.front() == '0')) return false;
    std::string_view after;
    if (take(".")) {
      after = digits();
      if (after.empty()) return false;
    }
    if (before.size() > 131072 || after.size() > 16383) return false;
    if (!take("e") && !take("E")) return true;
    const bool negative = take("-");
    if (!negative) take("+");
    std::string_view written = digits();
    if (written.empty()) return false;
    while (written.size() > 1 && written.front() == '0') written.remove_prefix(1);
    if (written.size() > 7) return false;
    const long exponent = std::strtol(std::string(written).c_str(), nullptr, 10) * (negative ? -1 : 1);
    return fits(std::string(before) + std::string(after), static_cast<long>(after.size()), exponent);
  }

  // All digits of the mantissa, of which `fraction` stand behind the point.
  static bool fits(const std::string& mantissa, long fraction, long exponent) {
    if (exponent > 1'000'000 || exponent < -1'000'000) return false;
    if (fraction - exponent > 16383) return false;
    const std::size_t first = mantissa.find_first_not_of('0');
    if (first == std::string::npos) return true;
    // The power of ten of the first digit that is no zero.
    return static_cast<long>(mantissa.size() - first) - 1 - fraction + exponent <= 308;
  }

  std::string_view rest_;
};

}  // namespace

bool is_storable_json(std::string_view text) {
  return Reader(text).all();
}

}  // namespace collect::fuzz
