// SPDX-License-Identifier: Apache-2.0
// A text with blanks. What is the same in every report is written once; what changes is filled in. For one
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/dice.h"

namespace collect::fleet {

// Blanks are written @name@, or @name:5-160@ for one that begins with a random number of that range; a name
// may stand in several places. Values go in as they are, so a blank for a JSON string has its quotes around
// it. Naming a blank that is not there throws std::out_of_range: a mistake in the program.
class Form {
 public:
  Form(std::string_view text, Dice& dice);

  Form& set(std::string_view name, std::string_view value);
  Form& set(std::string_view name, std::int64_t value);
  [[nodiscard]] const std::string& value(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] std::int64_t number(std::string_view name) const;
  // Returns the new number.
  std::int64_t add(std::string_view name, std::int64_t number);
  // Moves it by a random number of -by…by and keeps it within lowest…highest.
  void drift(std::string_view name, std::int64_t by, std::int64_t lowest, std::int64_t highest, Dice& dice);

  void append_to(std::string& out) const;

 private:
  struct Blank {
    std::string name, value;
  };
  struct Cut {
    std::size_t at;     // in literals_
    std::size_t blank;  // index into blanks_
  };
  std::size_t find_or_add(std::string_view name);
  Blank& blank(std::string_view name);
  [[nodiscard]] const Blank& blank(std::string_view name) const;

  std::string literals_;
  std::vector<Cut> cuts_;
  std::vector<Blank> blanks_;
};

// ["a", "b"]: texts that need no escaping.
std::string json_list(const std::vector<std::string>& texts);

}  // namespace collect::fleet
