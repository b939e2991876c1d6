// SPDX-License-Identifier: Apache-2.0
// alertmanager/silence: the silence that a system posts, and what is sent on in its name.
#include <algorithm>

#include "alertmanager/silence.h"
#include "fuzz/alertmanager.h"

namespace collect::fuzz {

void run(std::string_view input) {
  constexpr Time kNow{std::chrono::seconds(1'767'322'800)};  // 2026-01-02T03:00:00Z
  (void)alertmanager::silence_id(input);
  auto read = alertmanager::parse_exact(input);
  const json::Document* document = read_exact(read, input);
  if (document == nullptr) return;
  const auto silence = alertmanager::read_posted_silence(document->root(), kKey, kNow);
  if (!silence) {
    hold(silence.failure().kind == FailureKind::invalid, "what is refused is the sender's fault");
    return;
  }
  hold(alertmanager::belongs_to(*silence, kKey), "a silence is the system's own");
  hold(std::count_if(silence->matchers.begin(), silence->matchers.end(),
                     [](const auto& m) { return m.name == "system_key"; }) == 1,
       "no other matcher is on the key");
  hold(silence->matchers.size() >= 2, "a silence has a matcher of its own");
  const std::string written = alertmanager::to_posted_json(*silence);
  const json::Document own = read_own(written);
  const auto again = alertmanager::read_posted_silence(own.root(), kKey, kNow);
  hold(again.ok(), "what is passed on would be taken");
  hold(again->id == silence->id && again->matchers == silence->matchers &&
           again->starts_at == silence->starts_at && again->ends_at == silence->ends_at &&
           again->created_by == silence->created_by && again->comment == silence->comment,
       "what is passed on means the same");
}

}  // namespace collect::fuzz
