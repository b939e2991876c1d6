// SPDX-License-Identifier: Apache-2.0
// A client's query, written anew: known parameters only, its filters without those on system_key, and the one
// filter that keeps the answer within the system. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace collect::alertmanager {

// Of GET alerts: active, silenced, inhibited, unprocessed, receiver, filter. Of GET silences: filter. Other
// parameters are dropped. `query` is what follows the '?', the result likewise. `invalid`: a percent escape,
// a text or a filter that cannot be read, a flag that is neither true nor false, or one given twice.
Result<std::string> scoped_alerts_query(std::string_view query, std::string_view system_key);
Result<std::string> scoped_silences_query(std::string_view query, std::string_view system_key);

}  // namespace collect::alertmanager
