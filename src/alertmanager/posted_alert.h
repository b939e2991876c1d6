// SPDX-License-Identifier: Apache-2.0
// The alerts of a POST: read strictly, made the system's own, written anew. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alertmanager/enrichment.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace collect::alertmanager {

struct Annotation {
  std::string value;
  bool is_text = true;  // else `value` is the JSON of something else, which is the Alertmanager's to judge
};

// What Alertmanager's postableAlert has; other members of senders (status, fingerprint) are left out.
struct PostedAlert {
  Labels labels;
  std::map<std::string, Annotation, std::less<>> annotations;
  std::optional<Time> starts_at;
  std::optional<Time> ends_at;  // kZeroTime: not known, as if missing
  std::string generator_url;    // empty: none
};

inline constexpr std::size_t kMostAlerts = 1000;

// A list of at most kMostAlerts. `invalid` names the place: "alerts[3].labels: …". Refuses what Alertmanager
// refuses, so that one bad alert is told of and none is half posted: names that are no label names, label
// values that are no strings, an alert without a label of its own, an end before the start.
Result<std::vector<PostedAlert>> read_posted_alerts(const json::Value& root);

// Labels become the system's (scoped_labels), annotations are rendered over them.
void enrich(std::vector<PostedAlert>& alerts, const systems::System& system);

std::string to_json(const std::vector<PostedAlert>& alerts);

}  // namespace collect::alertmanager
