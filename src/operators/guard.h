// SPDX-License-Identifier: Apache-2.0
// Who may use the operator's API: whoever knows OPERATOR_TOKEN.
#pragma once

#include <string>
#include <string_view>

#include "net/http.h"

namespace collect::operators {

class Guard {
 public:
  // Not empty.
  explicit Guard(std::string_view token);
  // "Bearer <token>" (RFC 6750 section 2.1). Takes the same time whatever is wrong.
  [[nodiscard]] bool admits(std::string_view authorization) const;

 private:
  const std::string digest_;  // of the token, so that comparing tells not even its length
};

// The one 401.
net::Response unauthorized();

}  // namespace collect::operators
