// SPDX-License-Identifier: Apache-2.0
// Messages as other programs push them (contract, section 5): straight into the queue `inventory` of either
// engine.
#pragma once

#include <string>
#include <string_view>

#include "journey/service.h"

namespace collect::test {

// A UUID that says which one it is.
std::string numbered_id(int number);
std::string message_of(const std::string& id, const Login& system, const std::string& timestamp,
                       const std::string& inventory);
// Any bytes, at the end of the line.
void push_by_hand(Service& service, std::string_view bytes);

}  // namespace collect::test
