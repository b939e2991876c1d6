// SPDX-License-Identifier: Apache-2.0
// alertmanager/posted_alert: the alerts that a system posts, and what is sent on in its name.
#include "alertmanager/posted_alert.h"
#include "fuzz/alertmanager.h"

namespace collect::fuzz {
namespace {

void hold_scoped(const json::Value& alerts, const systems::System& system) {
  const systems::Labels known = systems::labels_of(system);
  for (const json::Value& alert : alerts.elements) {
    const json::Value* labels = alert.find("labels");
    hold(labels != nullptr && labels->is_object(), "an alert has labels");
    std::size_t others = labels->members.size();
    for (const std::string_view name : systems::kSystemLabels) {
      const json::Value* label = labels->find(name);
      const auto ours = known.find(name);
      hold((label != nullptr) == (ours != known.end()), "our labels are there when known");
      if (label == nullptr) continue;
      hold(label->is_string() && label->text == ours->second, "our labels are ours");
      --others;
    }
    hold(others > 0, "an alert has a label of its own");
    for (const auto& [name, value] : alert.members) {
      hold(name == "labels" || name == "annotations" || name == "startsAt" || name == "endsAt" ||
               name == "generatorURL",
           "only what Alertmanager knows is passed on");
    }
  }
}

}  // namespace

void run(std::string_view input) {
  auto read = alertmanager::parse_exact(input);
  const json::Document* document = read_exact(read, input);
  if (document == nullptr) return;
  auto alerts = alertmanager::read_posted_alerts(document->root());
  if (!alerts) {
    hold(alerts.failure().kind == FailureKind::invalid, "what is refused is the sender's fault");
    return;
  }
  const systems::System system = asking_system();
  alertmanager::enrich(*alerts, system);
  const std::string written = alertmanager::to_json(*alerts);
  const json::Document own = read_own(written);
  hold(own.root().elements.size() == document->root().elements.size(), "no alert is lost");
  hold_scoped(own.root(), system);
  const auto again = alertmanager::read_posted_alerts(own.root());
  hold(again.ok(), "what is passed on would be taken");
  hold(alertmanager::to_json(*again) == written, "what is passed on is written in one way");
}

}  // namespace collect::fuzz
