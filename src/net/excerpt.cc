// SPDX-License-Identifier: Apache-2.0
#include "net/excerpt.h"

#include <algorithm>

#include "base/utf8.h"

namespace collect::net {
namespace {

constexpr std::size_t kCharacters = 200;

}  // namespace

std::string excerpt(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  text = text.substr(std::min(first, text.size()));
  text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  std::string out;
  for (std::string_view rest = utf8_prefix(text, kCharacters); !rest.empty();) {
    const std::size_t length = utf8_length(rest);
    const bool control = static_cast<unsigned char>(rest[0]) < 0x20 || rest[0] == 0x7F;
    out += control ? " " : length == 0 ? "?" : rest.substr(0, length);
    rest.remove_prefix(std::max<std::size_t>(1, length));
  }
  return out;
}

}  // namespace collect::net
