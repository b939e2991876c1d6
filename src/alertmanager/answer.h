// SPDX-License-Identifier: Apache-2.0
// What an Alertmanager answered, reduced to what is one system's: whatever it was asked for, a row that is
// not exactly that system's goes no further. Rows are written anew from the members that Alertmanager's API
// has. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "alertmanager/silence.h"
#include "base/result.h"

namespace collect::alertmanager {

struct OwnRows {
  std::string json;        // a list
  std::size_t hidden = 0;  // rows of others
};

// Of GET alerts: rows whose label system_key is `system_key`. `invalid`: that is no list of alerts.
Result<OwnRows> own_alerts(std::string_view answer, std::string_view system_key);
// Of GET silences: rows that belongs_to() the system. `invalid`: that is no list of silences.
Result<OwnRows> own_silences(std::string_view answer, std::string_view system_key);
// Of GET silence/{id}. `invalid`: that is no silence, or another one than `id`.
Result<Silence> the_silence(std::string_view answer, std::string_view id);
// Of POST silences: the silence's id. `invalid`: there is none.
Result<std::string> posted_silence_id(std::string_view answer);

}  // namespace collect::alertmanager
