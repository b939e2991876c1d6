// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "templates/syntax.h"
#include "templates/template.h"

namespace collect::templates {

Result<std::string> execute(const Program& program, const Values& values, const Limits& limits);

}  // namespace collect::templates
