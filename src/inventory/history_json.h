// SPDX-License-Identifier: Apache-2.0
// Records and diffs as JSON objects, as the command line and the operator's API show them: the tables'
// columns, values of diffs as JSON.
#pragma once

#include <string>
#include <string_view>

#include "inventory/history_store.h"

namespace collect::inventory {

std::string record_json(const Record& record);
// With the document as `data`.
std::string record_json(const Record& record, std::string_view document);
std::string diff_json(const Diff& diff);

}  // namespace collect::inventory
