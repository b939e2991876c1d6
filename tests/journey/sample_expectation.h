// SPDX-License-Identifier: Apache-2.0
// What a sample's *.expected.json says, against what Collect told.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "journey/service.h"

namespace collect::test {

// Adds a test failure, beginning with `where`, for each entry of `changes` that is not told exactly once with
// its type and values, and for each told path that `must_not_report` or `moved` names.
void expect_told(const json::Value& expected, const std::vector<DiffRow>& told, const std::string& where);

}  // namespace collect::test
