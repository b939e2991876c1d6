// SPDX-License-Identifier: Apache-2.0
// The parameters of one statement. Scalars cross as text whose type the statement's place decides, so that
// `id = $1` works whether the column is varchar or uuid; lists cross as binary arrays (no quoting, no
// parsing) of text, bytea, bigint, boolean or timestamptz.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"

namespace collect::postgres {

// Bytes that are no text, as an element of a list.
struct Bytes {
  std::string_view bytes;
};

// Builds the binary form of a one-dimensional array (array_recv of PostgreSQL 15's arrayfuncs.c): number of
// dimensions, whether there are nulls, element type, size, lower bound; then length and bytes of each.
class ArrayBytes {
 public:
  explicit ArrayBytes(std::uint32_t element_type);
  void add(std::string_view bytes);
  void add(std::int64_t number);
  void add(bool flag);
  void add(Time time);  // microseconds since 2000-01-01, as the server counts
  void add_null();
  // The array; this is empty afterwards.
  std::string finish();

 private:
  void add_length(std::int32_t length);
  std::string bytes_;
  std::int32_t count_ = 0;
};

class Params {
 public:
  // Scalars: text, Id, integers, numeric ids, bool, Time, and optional of these.
  template <class... Args>
  static Params of(const Args&... args) {
    Params params;
    (params.add(args), ...);
    return params;
  }
  template <class T>
  Params& add(const T& value);
  Params& add_null();

  // One array parameter from `rows`; `part` gives each row's element: text, Bytes, integer, bool, Time, or
  // optional of these.
  template <class Rows, class Part>
  Params& array(const Rows& rows, Part part);
  Params& texts(const std::vector<std::string>& rows) {
    return array(rows, [](const std::string& row) { return std::string_view(row); });
  }

  // As PQsendQueryPrepared() wants them; valid until this changes.
  struct Raw {
    std::vector<std::uint32_t> types;
    std::vector<const char*> values;
    std::vector<int> lengths;
    std::vector<int> formats;
  };
  [[nodiscard]] Raw raw() const;

 private:
  struct Value {
    std::optional<std::string> bytes;
    std::uint32_t type = 0;  // 0: the server infers it
    int format = 0;
  };
  Params& add_text(std::string text);

  std::vector<Value> values_;
};

namespace detail {

// Object ids of built-in types (pg_type.dat).
inline constexpr std::uint32_t kBool = 16, kBytea = 17, kInt8 = 20, kText = 25, kTimestamptz = 1184;
inline constexpr std::uint32_t kBoolArray = 1000, kByteaArray = 1001, kInt8Array = 1016, kTextArray = 1009,
                               kTimestamptzArray = 1185;

template <class T>
struct Unwrapped {
  using type = T;
};
template <class T>
struct Unwrapped<std::optional<T>> {
  using type = T;
};

template <class T>
concept Text = std::convertible_to<const T&, std::string_view>;
template <class T>
concept TextId = requires(const T& id) {
  { id.text() } -> std::convertible_to<std::string_view>;
};
// RecordId, DiffId and their like.
template <class T>
concept NumericId = std::is_enum_v<T> && std::same_as<std::underlying_type_t<T>, std::int64_t>;
template <class T>
concept Number = (std::integral<T> && !std::same_as<T, bool>) || NumericId<T>;

template <class T>
constexpr std::uint32_t element_type() {
  if constexpr (std::same_as<T, Time>)
    return kTimestamptz;
  else if constexpr (std::same_as<T, bool>)
    return kBool;
  else if constexpr (std::same_as<T, Bytes>)
    return kBytea;
  else if constexpr (Number<T>)
    return kInt8;
  else
    return kText;
}
constexpr std::uint32_t array_type(std::uint32_t element) {
  return element == kTimestamptz ? kTimestamptzArray
         : element == kBool      ? kBoolArray
         : element == kBytea     ? kByteaArray
         : element == kInt8      ? kInt8Array
                                 : kTextArray;
}

template <class T>
void append(ArrayBytes& out, const T& value) {
  if constexpr (Number<T>)
    out.add(static_cast<std::int64_t>(value));
  else if constexpr (TextId<T>)
    out.add(std::string_view(value.text()));
  else if constexpr (Text<T>)
    out.add(std::string_view(value));
  else if constexpr (std::same_as<T, Bytes>)
    out.add(value.bytes);
  else
    out.add(value);
}

}  // namespace detail

template <class T>
Params& Params::add(const T& value) {
  if constexpr (std::same_as<T, Time>) {
    return add_text(to_rfc3339(value));
  } else if constexpr (std::same_as<T, bool>) {
    return add_text(value ? "t" : "f");
  } else if constexpr (detail::Number<T>) {
    return add_text(std::to_string(static_cast<std::int64_t>(value)));
  } else if constexpr (detail::TextId<T>) {
    return add_text(std::string(value.text()));
  } else if constexpr (detail::Text<T>) {
    return add_text(std::string(std::string_view(value)));
  } else {
    return value.has_value() ? add(*value) : add_null();
  }
}

template <class Rows, class Part>
Params& Params::array(const Rows& rows, Part part) {
  using Element = std::remove_cvref_t<decltype(part(*std::begin(rows)))>;
  using Plain = typename detail::Unwrapped<Element>::type;
  constexpr auto kType = detail::element_type<Plain>();
  ArrayBytes bytes(kType);
  for (const auto& row : rows) {
    const auto& element = part(row);
    if constexpr (std::same_as<Element, Plain>) {
      detail::append(bytes, element);
    } else {
      element.has_value() ? detail::append(bytes, *element) : bytes.add_null();
    }
  }
  values_.push_back({bytes.finish(), detail::array_type(kType), 1});
  return *this;
}

}  // namespace collect::postgres
