// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "base/result.h"
#include "templates/value.h"

namespace collect::templates {

// `eq`: whether the first equals any of the others. Different types are an error, except that nothing
// compares with everything, and integers of both kinds with each other.
Result<bool> equals_any(const Value& first, std::span<const Value> others);

// `lt`: numbers of one type, or texts by their bytes.
Result<bool> is_less(const Value& first, const Value& second);

}  // namespace collect::templates
