// SPDX-License-Identifier: Apache-2.0
// What the fuzzers share. Each defines run(), which is called with one input after the other and holds what
// it fuzzes to its promises.
#pragma once

#include <string_view>

namespace collect::fuzz {

// One input; whatever it does must not depend on the inputs before.
void run(std::string_view input);

// A promise that must hold for every input; where it does not, the sentence is printed and the input kept.
void hold(bool promise, std::string_view sentence);

// Cuts an input into parts: what stands before the first `mark` (all of it, where there is none) is returned
// and taken off together with the mark.
std::string_view take_part(std::string_view& input, char mark);
// The first byte as a number; 0 where there is none.
unsigned take_number(std::string_view& input);

}  // namespace collect::fuzz
