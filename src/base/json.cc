// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/json_memory.h"

namespace collect::json {

namespace od = simdjson::ondemand;

std::string_view to_string(Type type) {
  switch (type) {
    case Type::null:
      return "null";
    case Type::boolean:
      return "boolean";
    case Type::number:
      return "number";
    case Type::string:
      return "string";
    case Type::array:
      return "array";
    case Type::object:
      return "object";
  }
  return "null";
}

const Value* Value::find(std::string_view key) const {
  const auto found = std::lower_bound(members.begin(), members.end(), key,
                                      [](const Member& m, std::string_view k) { return m.key < k; });
  return found != members.end() && found->key == key ? &found->value : nullptr;
}

const Value* Value::at(std::initializer_list<std::string_view> keys) const {
  const Value* value = this;
  for (const std::string_view key : keys) {
    value = value->find(key);
    if (value == nullptr) return nullptr;
  }
  return value;
}

// ---------------------------------------------------------------- Document

// What an inventory's tree takes for each byte of its text, so that the arena is one piece.
constexpr std::size_t kTreePerByte = 4;

struct Document::Content {
  explicit Content(std::string_view source)
      : text(padded_copy(source)), arena(source.size() * kTreePerByte) {}

  simdjson::padded_string text;
  std::pmr::monotonic_buffer_resource arena;
  std::size_t arena_bytes = 0;
  Value root;
};

namespace {

// Texts above this get a parser of their own: a thread's parser keeps the size of its largest text for ever.
constexpr std::size_t kKeepParserBelow = 1U << 20U;
constexpr std::size_t kUsualMembers = 256;  // that are open at one time

std::string_view trim_right(std::string_view token) {
  while (!token.empty() &&
         (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' || token.back() == '\t')) {
    token.remove_suffix(1);
  }
  return token;
}

// Builds the tree in one forward walk; strings without escapes stay where they are in the source.
class TreeBuilder {
 public:
  TreeBuilder(std::pmr::memory_resource& arena, od::document& document) : arena_(arena), document_(document) {
    members_.reserve(kUsualMembers);
  }

  Value build() {
    const od::json_type type = document_.type().value();
    if (type == od::json_type::object) return build_object(document_.get_object().value());
    if (type == od::json_type::array) return build_array(document_.get_array().value());
    Value out;
    build_scalar(document_, type, out);
    return out;
  }

  // Taken from the arena so far.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  static std::string_view token_of(od::value& source) { return source.raw_json_token(); }
  static std::string_view token_of(od::document& source) {
    return simdjson::simdjson_result<std::string_view>(source.raw_json_token()).value();
  }
  static bool is_null(od::value& source) { return simdjson::simdjson_result<bool>(source.is_null()).value(); }
  static bool is_null(od::document& source) {
    return simdjson::simdjson_result<bool>(source.is_null()).value();
  }

  // Into `out`, which is as it was made: a value that is written in parts and copied at once makes the
  // processor wait for each part.
  template <class Source>
  void build_scalar(Source& source, od::json_type type, Value& out) {
    switch (type) {
      case od::json_type::string: {
        const std::string_view token = trim_right(token_of(source));
        out.text = token.substr(1, token.size() - 2);
        if (out.text.find('\\') != std::string_view::npos) out.text = keep_text(source.get_string().value());
        out.type = Type::string;
        return;
      }
      case od::json_type::number:
        out.text = trim_right(token_of(source));
        out.type = Type::number;
        return;
      case od::json_type::boolean:
        out.boolean = source.get_bool().value();
        out.type = Type::boolean;
        return;
      default:
        if (!is_null(source)) throw simdjson::simdjson_error(simdjson::N_ATOM_ERROR);
    }
  }

  static bool is_container(od::json_type type) {
    return type == od::json_type::object || type == od::json_type::array;
  }

  Value build_container(od::value& source, od::json_type type) {
    const char* const begin = token_of(source).data();
    Value out = type == od::json_type::object ? build_object(source.get_object().value())
                                              : build_array(source.get_array().value());
    // The next token is a comma or what ends the container around this one.
    const char* const next = document_.current_location().value();
    out.text = trim_right({begin, static_cast<std::size_t>(next - begin)});
    return out;
  }

  // Members and elements gather on one stack that all levels share, and move to the arena when complete.
  Value build_array(od::array source) {
    const std::size_t first = elements_.size();
    for (auto result : source) {
      od::value element = result.value();
      const od::json_type type = element.type().value();
      if (is_container(type)) {
        const Value value = build_container(element, type);
        elements_.push_back(value);
      } else {
        build_scalar(element, type, elements_.emplace_back());
      }
    }
    const auto kept = keep<Value>({elements_.data() + first, elements_.size() - first});
    elements_.resize(first);
    return {.type = Type::array, .boolean = false, .text = {}, .elements = kept, .members = {}};
  }

  Value build_object(od::object source) {
    const std::size_t first = members_.size();
    for (auto result : source) {
      const std::string_view key = key_of(result);
      od::value element = result.value().value();
      const od::json_type type = element.type().value();
      if (is_container(type)) {
        const Value value = build_container(element, type);
        members_.push_back({key, value});
      } else {
        Member& member = members_.emplace_back();
        member.key = key;
        build_scalar(element, type, member.value);
      }
    }
    const auto kept = keep_sorted({members_.data() + first, members_.size() - first});
    members_.resize(first);
    return {.type = Type::object, .boolean = false, .text = {}, .elements = {}, .members = kept};
  }

  // A member's place in its object. The key's first eight bytes decide most comparisons.
  struct Ranked {
    std::uint64_t start;
    const Member* member;
    bool operator<(const Ranked& other) const {
      if (start != other.start) return start < other.start;
      const int order = member->key.compare(other.member->key);
      return order != 0 ? order < 0 : member < other.member;  // of equal keys in source order
    }
  };
  static std::uint64_t start_of(std::string_view key) {
    const std::size_t count = std::min(key.size(), sizeof(std::uint64_t));
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < count; ++i) out = out << 8U | static_cast<unsigned char>(key[i]);
    return count == 0 ? 0 : out << 8 * (sizeof(std::uint64_t) - count);
  }

  // Members are large: they move once, when their order is known. Of equal keys only the last stays.
  std::span<const Member> keep_sorted(std::span<const Member> members) {
    ranked_.clear();
    bool sorted = true;
    for (const Member& member : members) {
      ranked_.push_back({start_of(member.key), &member});
      sorted = sorted && (ranked_.size() == 1 || ranked_[ranked_.size() - 2] < ranked_.back());
    }
    if (!sorted) std::sort(ranked_.begin(), ranked_.end());
    const auto same_key = [](const Ranked& a, const Ranked& b) { return a.member->key == b.member->key; };
    std::size_t count = 0;
    for (std::size_t i = 0; i < ranked_.size(); ++i) {
      if (i + 1 < ranked_.size() && same_key(ranked_[i], ranked_[i + 1])) continue;
      ranked_[count++] = ranked_[i];
    }
    if (count == 0) return {};
    auto* kept = static_cast<Member*>(arena_.allocate(count * sizeof(Member), alignof(Member)));
    bytes_ += count * sizeof(Member);
    for (std::size_t i = 0; i < count; ++i) std::construct_at(kept + i, *ranked_[i].member);
    return {kept, count};
  }

  std::string_view key_of(simdjson::simdjson_result<od::field>& field) {
    const char* begin = field.key().value().raw();
    const char* end = begin;
    while (*end != '"' && *end != '\\') ++end;
    if (*end == '"') return {begin, static_cast<std::size_t>(end - begin)};
    return keep_text(field.unescaped_key().value());
  }

  std::string_view keep_text(std::string_view text) {
    if (text.empty()) return {};
    auto* copy = static_cast<char*>(arena_.allocate(text.size(), 1));
    bytes_ += text.size();
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
  }

  template <class T>
  std::span<const T> keep(std::span<const T> items) {
    if (items.empty()) return {};
    auto* copy = static_cast<T*>(arena_.allocate(items.size_bytes(), alignof(T)));
    bytes_ += items.size_bytes();
    std::uninitialized_copy(items.begin(), items.end(), copy);
    return {copy, items.size()};
  }

  std::pmr::memory_resource& arena_;
  od::document& document_;
  std::size_t bytes_ = 0;  // taken from the arena
  std::vector<Value> elements_;
  std::vector<Member> members_;
  std::vector<Ranked> ranked_;  // of one object at a time
};

od::parser& parser_for(std::size_t size, std::optional<od::parser>& large) {
  thread_local od::parser small;
  return size < kKeepParserBelow ? small : large.emplace();
}

}  // namespace

Document::Document(std::unique_ptr<Content> content) : content_(std::move(content)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

const Value& Document::root() const {
  return content_->root;
}

std::size_t Document::bytes() const {
  return content_->text.size() + content_->arena_bytes;
}

Result<Document> Document::parse(std::string_view text) {
  if (auto checked = check(text); !checked) return checked.failure();
  return parse_checked(text);
}

Result<Document> Document::parse_checked(std::string_view text) {
  // The parser knows no true, false or null at the root that more than one space follows.
  auto content = std::make_unique<Content>(trim_right(text));
  try {
    std::optional<od::parser> large;
    od::document source = parser_for(text.size(), large).iterate(content->text).value();
    TreeBuilder builder(content->arena, source);
    content->root = builder.build();
    if (content->root.is_container() && source.current_location().error() != simdjson::OUT_OF_BOUNDS) {
      throw simdjson::simdjson_error(simdjson::TRAILING_CONTENT);
    }
    content->arena_bytes = std::max(text.size() * kTreePerByte, builder.bytes());
  } catch (const simdjson::simdjson_error& error) {
    about_the_text(error.error());
    return internal(fmt::format("a text that was taken for JSON is none: {}", error.what()));
  }
  return Document(std::move(content));
}

Result<std::vector<RawMember>> raw_members(std::string_view object_text) {
  const simdjson::padded_string padded = padded_copy(object_text);
  std::vector<RawMember> out;
  try {
    std::optional<od::parser> large;
    od::document source = parser_for(object_text.size(), large).iterate(padded).value();
    // A name of its own: the loop would outlive a temporary's value().
    od::object object = source.get_object().value();
    for (auto result : object) {
      od::field field = std::move(result).take_value();
      std::string key(field.unescaped_key().value());
      od::value value = field.value();
      std::string_view text;
      switch (value.type().value()) {
        case od::json_type::object:
          text = value.get_object().value().raw_json().value();
          break;
        case od::json_type::array:
          text = value.get_array().value().raw_json().value();
          break;
        default:
          text = value.raw_json_token();
      }
      const std::string_view trimmed = trim_right(text);
      const auto offset = static_cast<std::size_t>(trimmed.data() - padded.data());
      out.push_back({std::move(key), object_text.substr(offset, trimmed.size())});
    }
  } catch (const simdjson::simdjson_error& error) {
    about_the_text(error.error());
    return invalid(fmt::format("expected a JSON object: {}", error.what()));
  }
  return out;
}

// ---------------------------------------------------------------- equality

namespace {

// A number's value as sign, significant digits without outer zeros, and the power of ten of the last digit.
struct Decimal {
  bool negative = false;
  std::string digits;  // empty: zero
  std::int64_t exponent = 0;
  bool operator==(const Decimal&) const = default;
};

Decimal to_decimal(std::string_view token) {
  Decimal out;
  std::size_t at = 0;
  if (at < token.size() && token[at] == '-') {
    out.negative = true;
    ++at;
  }
  std::int64_t fraction = 0;
  bool after_point = false;
  for (; at < token.size() && token[at] != 'e' && token[at] != 'E'; ++at) {
    if (token[at] == '.') {
      after_point = true;
      continue;
    }
    out.digits += token[at];
    if (after_point) ++fraction;
  }
  std::int64_t written = 0;
  if (at < token.size()) {
    ++at;
    if (at < token.size() && token[at] == '+') ++at;
    std::from_chars(token.data() + at, token.data() + token.size(), written);
  }
  const std::size_t first = out.digits.find_first_not_of('0');
  if (first == std::string::npos) return {};
  out.exponent = written - fraction;
  out.digits.erase(0, first);
  while (out.digits.back() == '0') {
    out.digits.pop_back();
    ++out.exponent;
  }
  return out;
}

}  // namespace

bool equal_numbers(std::string_view a, std::string_view b) {
  if (a == b) return true;
  // Two plain integers written differently are different, but for -0.
  const auto plain = [](std::string_view n) {
    return n.find_first_of(".eE") == std::string_view::npos && n != "-0";
  };
  if (plain(a) && plain(b)) return false;
  return to_decimal(a) == to_decimal(b);
}

bool equal(const Value& a, const Value& b) {
  if (a.type != b.type) return false;
  if (a.is_container() && !a.text.empty() && a.text == b.text) return true;
  switch (a.type) {
    case Type::null:
      return true;
    case Type::boolean:
      return a.boolean == b.boolean;
    case Type::number:
      return equal_numbers(a.text, b.text);
    case Type::string:
      return a.text == b.text;
    case Type::array:
      return std::equal(a.elements.begin(), a.elements.end(), b.elements.begin(), b.elements.end(), equal);
    case Type::object:
      return std::equal(
          a.members.begin(), a.members.end(), b.members.begin(), b.members.end(),
          [](const Member& x, const Member& y) { return x.key == y.key && equal(x.value, y.value); });
  }
  return false;
}

double to_double(std::string_view number) {
  double out = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), out);
  // Out of range: from_chars leaves the value alone; tiny numbers are 0, huge ones infinite.
  if (error == std::errc::result_out_of_range) {
    const Decimal decimal = to_decimal(number);
    const bool tiny = decimal.exponent + static_cast<std::int64_t>(decimal.digits.size()) < 0;
    out = tiny ? 0.0 : HUGE_VAL;
    if (decimal.negative) out = -out;
  }
  return out;
}

std::optional<std::int64_t> to_int64(std::string_view number) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), out);
  if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
  return out;
}

}  // namespace collect::json
