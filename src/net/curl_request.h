// SPDX-License-Identifier: Apache-2.0
// What requests for whole answers (http_client.h) and for streamed ones (http_download.h) have in common.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/curl_handle.h"
#include "net/http_client.h"

namespace collect::net {

// The request's header as libcurl takes it. `invalid`: URL, method or a header cannot be sent.
Result<CurlList> header_lines(const ClientRequest& request);

// Everything but timeouts and where the answer goes. `request` and `lines` have to outlive the transfer.
void prepare(CurlHandle& curl, const ClientRequest& request, const CurlList& lines,
             const std::string& ca_file);

// One line of an answer's head, as libcurl hands it over, added to `headers`.
void read_header_line(std::string_view line, std::vector<Header>& headers);

}  // namespace collect::net
