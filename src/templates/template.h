// SPDX-License-Identifier: Apache-2.0
// The message language: Go's text/template over a flat map of texts. Source of the language:
// https://pkg.go.dev/text/template (syntax, truth, predefined functions) and https://pkg.go.dev/fmt (verbs).
//
// What a map of texts cannot mean (a method, a field of a field, a call of a non-function) is an error of the
// rendering, not of the parsing, as in Go. A value is text and never parsed again.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace collect::templates {

// What {{.name}} finds. A name that is missing renders as "<no value>".
using Values = std::map<std::string, std::string, std::less<>>;

// A rendering that passes one of these fails: a template comes from whoever may post an alert.
struct Limits {
  std::size_t steps = 100'000;  // nodes and operands executed, and 16 bytes that a function reads or makes
  std::size_t depth = 100;      // nested {{template}} calls
  std::size_t output_bytes = 64 << 10;  // of the rendered text
};

// Immutable once parsed; cheap to copy; rendering is thread-safe.
class Template {
 public:
  // `invalid` says the line and what was expected there, never the template's own text. At most 64 KiB, 100
  // actions and parentheses in each other, 200 variables at one place.
  static Result<Template> parse(std::string_view text);

  // `invalid`: an execution error, or a limit was passed; the message says which.
  [[nodiscard]] Result<std::string> render(const Values& values, const Limits& limits = {}) const;

 private:
  struct Parsed;
  explicit Template(std::shared_ptr<const Parsed> parsed);
  std::shared_ptr<const Parsed> parsed_;
};

}  // namespace collect::templates
