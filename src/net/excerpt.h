// SPDX-License-Identifier: Apache-2.0
// What a peer said, fit for a log line or a failure's message.
#pragma once

#include <string>
#include <string_view>

namespace collect::net {

// The beginning of `text` on one line: at most 200 characters, control characters as spaces, valid UTF-8.
std::string excerpt(std::string_view text);

}  // namespace collect::net
