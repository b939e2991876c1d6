// SPDX-License-Identifier: Apache-2.0
// What an HTTP peer's answer means for whoever posted something to it.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/http_client.h"

namespace collect::net {

// 2xx: "HTTP 204". `unavailable`: no answer, 408, 425, 429, 5xx and those in `also_later`. Any other status,
// redirects among them, is `invalid`. Messages tell `url`'s origin and the beginning of the answer, unless
// the answer repeats one of `confidential` (upper and lower case alike).
Result<std::string> http_verdict(std::string_view url, const Result<ClientAnswer>& answer,
                                 std::initializer_list<int> also_later = {},
                                 const std::vector<std::string>& confidential = {});

// The parts of what follows the origin in a webhook's URL: whoever knows them may post there.
std::vector<std::string> confidential_parts(std::string_view url);

// For peers whose answers are read by people at most: a long one is cut.
HttpClientOptions posting_client_options(Duration timeout, const std::string& ca_file);

}  // namespace collect::net
