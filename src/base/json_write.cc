// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "base/json.h"
#include "base/utf8.h"

namespace collect::json {

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;  // start of what is copied as it stands
  const auto flush = [&](std::size_t end) { out.append(text.substr(plain, end - plain)); };
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
      ++i;
      continue;
    }
    const std::size_t length = c < 0x80 ? 0 : utf8_length(text.substr(i));
    if (length > 0) {
      i += length;
      continue;
    }
    flush(i);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (c < 0x20) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
        } else {
          out += "\xEF\xBF\xBD";
        }
    }
    plain = ++i;
  }
  flush(text.size());
  out += '"';
}

std::string quote(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

void append_text(std::string& out, const Value& value) {
  switch (value.type) {
    case Type::null:
      out += "null";
      return;
    case Type::boolean:
      out += value.boolean ? "true" : "false";
      return;
    case Type::number:
      out += value.text;
      return;
    case Type::string:
      append_quoted(out, value.text);
      return;
    case Type::array: {
      out += '[';
      for (std::size_t i = 0; i < value.elements.size(); ++i) {
        if (i > 0) out += ',';
        append_text(out, value.elements[i]);
      }
      out += ']';
      return;
    }
    case Type::object: {
      out += '{';
      for (std::size_t i = 0; i < value.members.size(); ++i) {
        if (i > 0) out += ',';
        append_quoted(out, value.members[i].key);
        out += ':';
        append_text(out, value.members[i].value);
      }
      out += '}';
      return;
    }
  }
}

std::string to_text(const Value& value) {
  std::string out;
  append_text(out, value);
  return out;
}

void Writer::separate() {
  if (!fresh_) out_ += ',';
  fresh_ = false;
}

Writer& Writer::begin_object() {
  separate();
  out_ += '{';
  fresh_ = true;
  return *this;
}

Writer& Writer::end_object() {
  out_ += '}';
  fresh_ = false;
  return *this;
}

Writer& Writer::begin_array() {
  separate();
  out_ += '[';
  fresh_ = true;
  return *this;
}

Writer& Writer::end_array() {
  out_ += ']';
  fresh_ = false;
  return *this;
}

Writer& Writer::key(std::string_view name) {
  separate();
  append_quoted(out_, name);
  out_ += ':';
  fresh_ = true;
  return *this;
}

Writer& Writer::value(std::string_view text) {
  separate();
  append_quoted(out_, text);
  return *this;
}

Writer& Writer::value(bool flag) {
  return raw(flag ? "true" : "false");
}
Writer& Writer::value(std::int64_t number) {
  return raw(fmt::format("{}", number));
}
Writer& Writer::value(std::uint64_t number) {
  return raw(fmt::format("{}", number));
}
Writer& Writer::value(double number) {
  return raw(std::isfinite(number) ? fmt::format("{}", number) : "null");
}
Writer& Writer::value(std::nullptr_t) {
  return raw("null");
}

Writer& Writer::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

}  // namespace collect::json
