// SPDX-License-Identifier: Apache-2.0
// JSON (RFC 8259) as the rest of Collect sees it: checked once, read as a tree that keeps every digit,
// written by a small writer. Parsing is simdjson's.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace collect::json {

// What a document may hold at most. The numbers are PostgreSQL's (jsonb) or ours, see check().
inline constexpr std::size_t kMaxDepth = 512;

// Accepts exactly what every engine behind Collect can store: one JSON value in valid UTF-8, no \u0000, no
// lone surrogate, at most kMaxDepth levels of nesting, numbers of at most 131072 digits before and 16383
// after the point and, where written with an exponent, a magnitude below 1e309 (others would read it as
// infinity). The failure (invalid) says what is wrong and at which line and column.
Result<void> check(std::string_view text);

enum class Type : std::uint8_t { null, boolean, number, string, array, object };
std::string_view to_string(Type type);

struct Member;

// One node. A cheap view: it lives as long as the Document (or the arena) that made it.
struct Value {
  Type type = Type::null;
  bool boolean = false;
  std::string_view text;  // string: unescaped UTF-8; number, and a container below the root: as written
  std::span<const Value> elements;  // array
  std::span<const Member>
      members;  // object: sorted by key (bytes), duplicate keys resolved, the last one wins

  [[nodiscard]] bool is_null() const { return type == Type::null; }
  [[nodiscard]] bool is_string() const { return type == Type::string; }
  [[nodiscard]] bool is_number() const { return type == Type::number; }
  [[nodiscard]] bool is_object() const { return type == Type::object; }
  [[nodiscard]] bool is_array() const { return type == Type::array; }
  [[nodiscard]] bool is_container() const { return is_object() || is_array(); }

  // The member of that name, or nullptr (also when this is no object).
  [[nodiscard]] const Value* find(std::string_view key) const;
  // find() along several keys: at({"facts", "distro", "version"}).
  [[nodiscard]] const Value* at(std::initializer_list<std::string_view> keys) const;
};

struct Member {
  std::string_view key;
  Value value;
};

// A parsed text with everything its values point into. Moves, does not copy. Reading is thread-safe.
class Document {
 public:
  // Checks (as check() does) and parses. Copies the text.
  static Result<Document> parse(std::string_view text);
  // The same without the check, for texts that passed it before they were stored or queued. A text that did
  // not is `internal`, or read more leniently than RFC 8259 allows.
  static Result<Document> parse_checked(std::string_view text);

  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  [[nodiscard]] const Value& root() const;
  // What it takes in memory, about.
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Content;
  explicit Document(std::unique_ptr<Content> content);
  std::unique_ptr<Content> content_;
};

// A member of the outermost object, with its value's text exactly as written. Duplicates are all listed.
struct RawMember {
  std::string key;
  std::string_view text;  // points into the text that was read
};
// `invalid` when the text is no JSON object. Values are delimited, not checked: use it on checked texts.
Result<std::vector<RawMember>> raw_members(std::string_view object_text);

// Equal as JSON values: 1 = 1.0 = 10e-1 exactly (no floating point), key order means nothing, null is not
// missing.
bool equal(const Value& a, const Value& b);
bool equal_numbers(std::string_view a, std::string_view b);
// The nearest double of a number's token (±inf beyond its range).
double to_double(std::string_view number);
// The number as an integer when it is one and fits.
std::optional<std::int64_t> to_int64(std::string_view number);

// Compact text of a value: sorted keys, numbers as written.
std::string to_text(const Value& value);
void append_text(std::string& out, const Value& value);

// `text` as a JSON string with its quotes. Invalid UTF-8 bytes become U+FFFD, so the result is always JSON.
std::string quote(std::string_view text);
void append_quoted(std::string& out, std::string_view text);

// Builds one JSON text in one pass. Commas are its business; nesting and keys are the caller's.
//   Writer w; w.begin_object().member("code", 200).key("data").raw(text).end_object(); w.text()
class Writer {
 public:
  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(std::string_view name);
  Writer& value(std::string_view text);
  Writer& value(const char* text) { return value(std::string_view(text)); }
  Writer& value(const std::string& text) { return value(std::string_view(text)); }
  Writer& value(bool flag);
  Writer& value(std::int64_t number);
  Writer& value(int number) { return value(static_cast<std::int64_t>(number)); }
  Writer& value(std::uint64_t number);
  Writer& value(double number);
  Writer& value(std::nullptr_t);
  template <class T>
  Writer& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : value(nullptr);
  }
  // A text that is JSON already.
  Writer& raw(std::string_view json);
  template <class T>
  Writer& member(std::string_view name, const T& v) {
    key(name);
    return value(v);
  }
  [[nodiscard]] const std::string& text() const& { return out_; }
  [[nodiscard]] std::string text() && { return std::move(out_); }

 private:
  void separate();
  std::string out_;
  bool fresh_ = true;  // nothing since the last opening bracket or key
};

}  // namespace collect::json
