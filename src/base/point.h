// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace collect {

// The process comes by a moment at which its end would matter: "inventory", "after_claim". `text`: the
// message that it is about to handle. Does nothing; a program of the tests has a function of its own in this
// one's place, and dies there when it was told to (tests/faults/crash_points.cc).
void point(std::string_view where, std::string_view moment, std::string_view text = {});

}  // namespace collect
