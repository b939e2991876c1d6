// SPDX-License-Identifier: Apache-2.0
#include "alertmanager/matcher.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include "alertmanager/fields.h"
#include "base/utf8.h"
#include "net/http.h"

namespace collect::alertmanager {
namespace {

constexpr std::int64_t kRegexMemory = 1 << 20;

bool is_regular_expression(const std::string& text) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexMemory);
  return RE2("^(?:" + text + ")$", options).ok();
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// Reads matchers from the front of a filter's text.
class FilterReader {
 public:
  explicit FilterReader(std::string_view text) : rest_(text) {}

  Result<std::vector<Matcher>> read() {
    std::vector<Matcher> matchers;
    skip_blank();
    in_braces_ = take("{");
    do {
      skip_blank();
      if (in_braces_ && !matchers.empty() && rest_.starts_with('}')) break;  // a comma at the end
      auto matcher = read_one();
      if (!matcher) return matcher.failure();
      matchers.push_back(*std::move(matcher));
      skip_blank();
    } while (in_braces_ && take(","));
    if (in_braces_ && !take("}")) return expected("',' or '}'");
    skip_blank();
    if (!rest_.empty()) {
      return invalid(
          R"(filter: expected one matcher like name="value", or several as {a="b",c="d"}, got something after it)");
    }
    return matchers;
  }

 private:
  static Failure expected(std::string_view what) {
    return invalid(fmt::format("filter: expected a matcher like name=\"value\": {} is missing", what));
  }
  void skip_blank() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n\f\v"), rest_.size())); }
  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  Result<Matcher> read_one() {
    Matcher matcher;
    std::size_t size = 0;
    while (size < rest_.size() && is_label_name(rest_.substr(0, size + 1))) ++size;
    if (size == 0) return expected("a label's name");
    matcher.name = rest_.substr(0, size);
    rest_.remove_prefix(size);
    skip_blank();
    if (take("=~")) {
      matcher.is_regex = true;
    } else if (take("!~")) {
      matcher.is_regex = true;
      matcher.is_equal = false;
    } else if (take("!=")) {
      matcher.is_equal = false;
    } else if (!take("=")) {
      return expected("one of = != =~ !~");
    }
    skip_blank();
    auto value = take("\"") ? read_quoted() : read_bare();
    if (!value) return value.failure();
    matcher.value = *std::move(value);
    if (auto checked = check_matcher(matcher, "filter"); !checked) return checked.failure();
    return matcher;
  }

  Result<std::string> read_quoted() {
    std::string value;
    while (!rest_.empty() && rest_.front() != '"') value += next_character();
    if (!take("\"")) return expected("the quote at the end");
    return value;
  }

  // To the end, or in braces to a comma or the closing brace. Without quotes nothing else may stand there
  // that has a meaning, so that nobody finds another end.
  Result<std::string> read_bare() {
    const std::size_t end = in_braces_ ? std::min(rest_.find_first_of(",}"), rest_.size()) : rest_.size();
    std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end);
    const auto last = text.find_last_not_of(" \t\r\n\f\v");
    text = text.substr(0, last == std::string_view::npos ? 0 : last + 1);
    if (text.find('"') != std::string_view::npos) return expected("the quote at the beginning");
    std::string value;
    for (std::swap(text, rest_); !rest_.empty();) value += next_character();
    rest_ = text;
    return value;
  }

  // A backslash before anything but the three escapes stands for itself.
  char next_character() {
    if (rest_.size() >= 2 && rest_[0] == '\\' &&
        std::string_view("\\\"n").find(rest_[1]) != std::string_view::npos) {
      const char c = rest_[1] == 'n' ? '\n' : rest_[1];
      rest_.remove_prefix(2);
      return c;
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  std::string_view rest_;
  bool in_braces_ = false;
};

}  // namespace

Matcher matcher_of(std::string_view system_key) {
  return {"system_key", std::string(system_key), false, true};
}

Result<void> check_matcher(const Matcher& matcher, std::string_view where) {
  if (!is_label_name(matcher.name))
    return invalid(fmt::format("{}: expected a label's name, got \"{}\"", where, net::shown(matcher.name)));
  if (matcher.is_regex && !is_regular_expression(matcher.value))
    return invalid(
        fmt::format("{}: expected a regular expression for {}, got another text", where, matcher.name));
  return {};
}

Result<std::vector<Matcher>> parse_filter(std::string_view text) {
  if (!is_utf8(text) || text.find('\0') != std::string_view::npos)
    return invalid("filter: expected text in UTF-8");
  return FilterReader(text).read();
}

std::string to_filter(const Matcher& matcher) {
  std::string out = matcher.name;
  out += matcher.is_regex ? (matcher.is_equal ? "=~" : "!~") : (matcher.is_equal ? "=" : "!=");
  out += '"';
  for (const char c : matcher.value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace collect::alertmanager
