// SPDX-License-Identifier: Apache-2.0
// What message templates can show of a diff, as flat texts, and how a message is made presentable. Pure.
// docs/alerts.md lists the labels.
#pragma once

#include <string>
#include <string_view>

#include "alerts/alert.h"
#include "systems/system.h"
#include "templates/template.h"

namespace collect::alerts {

inline constexpr std::size_t kMaxMessageBytes = 2000;

// What is known of the system and its organization.
templates::Values system_labels(const systems::System& system);
// These, and what the diff says.
templates::Values alert_labels(const systems::System& system, const StoredDiff& diff);

// One sentence about the diff with these labels, for where there is no template or it failed.
std::string plain_sentence(const templates::Values& labels);

// The same about a value that changed so often, for pattern alerts; labels `occurrences` and `window_hours`
// too.
std::string flapping_sentence(const templates::Values& labels);

// One line of at most kMaxMessageBytes, cut between two characters.
std::string as_message(std::string_view text);

}  // namespace collect::alerts
