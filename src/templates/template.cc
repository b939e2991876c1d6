// SPDX-License-Identifier: Apache-2.0
#include "templates/template.h"

#include <utility>

#include "templates/executor.h"
#include "templates/parser.h"

namespace collect::templates {

struct Template::Parsed {
  Program program;
};

Template::Template(std::shared_ptr<const Parsed> parsed) : parsed_(std::move(parsed)) {}

Result<Template> Template::parse(std::string_view text) {
  auto program = templates::parse(text);
  if (!program) return program.failure();
  return Template(std::make_shared<const Parsed>(Parsed{*std::move(program)}));
}

Result<std::string> Template::render(const Values& values, const Limits& limits) const {
  return execute(parsed_->program, values, limits);
}

}  // namespace collect::templates
