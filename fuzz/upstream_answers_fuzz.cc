// SPDX-License-Identifier: Apache-2.0
// alertmanager/answer: what an Alertmanager says, and what of it a system is shown.
#include "alertmanager/answer.h"
#include "fuzz/alertmanager.h"

namespace collect::fuzz {
namespace {

constexpr std::string_view kId = "018f4c2e-0000-7000-8000-00000000000a";

bool names_us(const json::Value& matcher) {
  const json::Value* regex = matcher.find("isRegex");
  const json::Value* equal = matcher.find("isEqual");
  const json::Value* name = matcher.find("name");
  const json::Value* value = matcher.find("value");
  return name->text == "system_key" && value->text == kKey && !regex->boolean && equal->boolean;
}

void hold_own_silence(const json::Value& silence) {
  bool ours = false;
  for (const json::Value& matcher : silence.find("matchers")->elements) ours = ours || names_us(matcher);
  hold(ours, "a silence that is shown is the system's own");
}

}  // namespace

void run(std::string_view input) {
  if (const auto alerts = alertmanager::own_alerts(input, kKey)) {
    const json::Document shown = read_own(alerts->json);
    for (const json::Value& alert : shown.root().elements) {
      hold(alert.at({"labels", "system_key"})->text == kKey, "an alert that is shown is the system's own");
    }
    const auto again = alertmanager::own_alerts(alerts->json, kKey);
    hold(again.ok() && again->hidden == 0 && again->json == alerts->json, "what is shown is all its own");
  }
  if (const auto silences = alertmanager::own_silences(input, kKey)) {
    const json::Document shown = read_own(silences->json);
    for (const json::Value& silence : shown.root().elements) hold_own_silence(silence);
    const auto again = alertmanager::own_silences(silences->json, kKey);
    hold(again.ok() && again->hidden == 0 && again->json == silences->json, "what is shown is all its own");
  }
  if (const auto silence = alertmanager::the_silence(input, kId)) {
    hold(silence->id == kId, "it is the silence that was asked for");
    json::Writer w;
    alertmanager::write_shown(w, *silence);
    (void)read_own(w.text());
  }
  if (const auto id = alertmanager::posted_silence_id(input)) {
    hold(alertmanager::silence_id(*id) == *id, "an id is a UUID in lower case");
  }
}

}  // namespace collect::fuzz
