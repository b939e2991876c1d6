// SPDX-License-Identifier: Apache-2.0
// The forms that texts among the settings have to have, checked before anything starts: what only the part
// that uses a value would find is found here first.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"

namespace collect::forms {

// "127.0.0.1:8081", "[::1]:8081", "collect.example.org:80", ":8081". A port from 0 to 65535.
Result<void> address(std::string_view text);

// "scheme://…" with one of these schemes and something after it. The text itself, which may hold a password,
// is never in the message.
Result<void> url(std::string_view text, const std::vector<std::string_view>& schemes);

// IPv4 or IPv6 addresses or networks in CIDR notation (RFC 4632), separated by commas.
Result<void> networks(std::string_view text);

// The name of a Redis list: printable ASCII without spaces, and none that Collect gives to what stands beside
// another queue (":delayed", ":dead", …).
Result<void> queue_name(std::string_view text);

// An S3 bucket's name (docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
Result<void> bucket(std::string_view text);

}  // namespace collect::forms
