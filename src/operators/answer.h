// SPDX-License-Identifier: Apache-2.0
// Answers of the operator's API: what failed in words, what was found with an ETag.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"

namespace collect::operators {

// 400, 404, 503, 500 by kind. What is not the asker's business goes to the log.
net::Response failed(const net::RequestHead& head, const Failure& failure);

// An entity tag (RFC 9110 section 8.8.3) for whatever is the same when `text` is.
std::string etag_of(std::string_view text);
// Whether the asker has it already: If-None-Match (section 13.1.2).
bool has_already(const net::RequestHead& head, std::string_view etag);
// 304.
net::Response not_modified(std::string_view etag);
// To be kept by the asker alone, who asks each time whether it still holds.
net::Response tagged(net::Response response, std::string_view etag);

// 200 with that data and the tag of it, or 304.
net::Response found(const net::RequestHead& head, std::string_view message, std::string_view data_json);

}  // namespace collect::operators
