// SPDX-License-Identifier: Apache-2.0
// JSON that every reader must understand in the same way: exactly one value, and no object with a key twice,
// at any level. Where two readers choose differently among duplicates, the second one acts on what the first
// one never saw. Pure.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/json.h"

namespace collect::alertmanager {

// What a refused request looks like an attempt at; the audit log names it.
enum class Smell { none, duplicate_key, trailing_data, foreign_silence, path_trick };
std::string_view to_string(Smell smell);

struct Refusal {
  int status = 400;
  std::string message;  // for the client: what was expected, what came, and where
  Smell smell = Smell::none;
};

std::variant<json::Document, Refusal> parse_exact(std::string_view text);

}  // namespace collect::alertmanager
