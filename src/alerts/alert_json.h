// SPDX-License-Identifier: Apache-2.0
// Alerts as JSON objects, as the command line and the operator's API show them: the columns of
// inventory_alerts with system_key, system_name and the field_path of the diff.
#pragma once

#include <string>

#include "alerts/alert_store.h"
#include "base/json.h"

namespace collect::alerts {

void write(json::Writer& writer, const ListedAlert& listed);
// With diff_type and the values before and after.
void write(json::Writer& writer, const ShownAlert& shown);
std::string alert_json(const ListedAlert& listed);

}  // namespace collect::alerts
