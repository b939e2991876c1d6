// SPDX-License-Identifier: Apache-2.0
// simdjson tells of missing memory by a code, or by a copy that is empty. That says nothing about the text,
// so here it is thrown, as everywhere else. Internal to base.
#pragma once

#include <simdjson.h>

#include <new>
#include <string_view>

namespace collect::json {

// `error` itself, unless it says that there is no memory.
inline simdjson::error_code about_the_text(simdjson::error_code error) {
  if (error == simdjson::MEMALLOC) throw std::bad_alloc();
  return error;
}

// With the padding that the parser reads beyond the end.
inline simdjson::padded_string padded_copy(std::string_view text) {
  simdjson::padded_string copy(text);
  if (copy.data() == nullptr) throw std::bad_alloc();
  return copy;
}

}  // namespace collect::json
