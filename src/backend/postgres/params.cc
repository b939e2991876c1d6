// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/params.h"

#include "backend/postgres/fault.h"

namespace collect::postgres {
namespace {

template <class T>
void put_big_endian(std::string& out, T number) {
  for (int shift = static_cast<int>(sizeof(T) * 8) - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((number >> shift) & 0xff));
  }
}

void set_big_endian(std::string& out, std::size_t at, std::uint32_t number) {
  for (std::size_t i = 0; i < 4; ++i) out[at + i] = static_cast<char>((number >> (24 - 8 * i)) & 0xff);
}

constexpr std::size_t kHasNullAt = 4, kCountAt = 12;
constexpr std::int64_t kMicrosBefore2000 = 946684800LL * 1000000;

}  // namespace

ArrayBytes::ArrayBytes(std::uint32_t element_type) {
  put_big_endian<std::uint32_t>(bytes_, 1);
  put_big_endian<std::uint32_t>(bytes_, 0);
  put_big_endian<std::uint32_t>(bytes_, element_type);
  put_big_endian<std::uint32_t>(bytes_, 0);  // the size, once it is known
  put_big_endian<std::uint32_t>(bytes_, 1);
}

void ArrayBytes::add_length(std::int32_t length) {
  put_big_endian<std::uint32_t>(bytes_, static_cast<std::uint32_t>(length));
  ++count_;
}

void ArrayBytes::add(std::string_view bytes) {
  add_length(static_cast<std::int32_t>(bytes.size()));
  bytes_.append(bytes);
}

void ArrayBytes::add(std::int64_t number) {
  add_length(8);
  put_big_endian(bytes_, static_cast<std::uint64_t>(number));
}

void ArrayBytes::add(bool flag) {
  add_length(1);
  bytes_.push_back(flag ? '\1' : '\0');
}

void ArrayBytes::add(Time time) {
  add(time.time_since_epoch().count() - kMicrosBefore2000);
}

void ArrayBytes::add_null() {
  add_length(-1);
  set_big_endian(bytes_, kHasNullAt, 1);
}

std::string ArrayBytes::finish() {
  if (count_ == 0) {
    // An array without elements has no dimension.
    set_big_endian(bytes_, 0, 0);
    bytes_.resize(kCountAt);
  } else {
    set_big_endian(bytes_, kCountAt, static_cast<std::uint32_t>(count_));
  }
  return std::move(bytes_);
}

Params& Params::add_text(std::string text) {
  // libpq would silently end the text there.
  if (text.find('\0') != std::string::npos) {
    throw Fault(invalid("PostgreSQL was given a text with a NUL character, which it cannot hold"));
  }
  values_.push_back({std::move(text), 0, 0});
  return *this;
}

Params& Params::add_null() {
  values_.push_back({});
  return *this;
}

Params::Raw Params::raw() const {
  Raw raw;
  for (const auto& value : values_) {
    raw.types.push_back(value.type);
    raw.values.push_back(value.bytes ? value.bytes->c_str() : nullptr);
    raw.lengths.push_back(value.bytes ? static_cast<int>(value.bytes->size()) : 0);
    raw.formats.push_back(value.format);
  }
  return raw;
}

}  // namespace collect::postgres
