// SPDX-License-Identifier: Apache-2.0
// All regular expressions of config.yml as one automaton: a path is read once, however many there are.
#pragma once

#include <re2/re2.h>
#include <re2/set.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace collect::diff {

class Patterns {
 public:
  Patterns();

  // RE2 syntax, case-insensitive, unanchored. The same text has the same number. `invalid` with RE2's own
  // words.
  Result<int> add(const std::string& regex);
  // After the last add(), before the first match(). `invalid` when they are too large together.
  Result<void> compile();

  // One flag per pattern. Thread-safe.
  [[nodiscard]] std::vector<bool> match(std::string_view path) const;
  [[nodiscard]] const std::string& text(int pattern) const {
    return single_[static_cast<std::size_t>(pattern)]->pattern();
  }

 private:
  std::unique_ptr<RE2::Set> all_;
  std::vector<std::unique_ptr<RE2>> single_;
  std::map<std::string, int> known_;
};

}  // namespace collect::diff
