// SPDX-License-Identifier: Apache-2.0
// What the fuzzers of the Alertmanager's proxy share: the system that asks, and what must be true of what is
// sent and shown in its name.
#pragma once

#include "alertmanager/exact_json.h"
#include "fuzz/fuzz.h"
#include "fuzz/plain_json.h"
#include "systems/system.h"

namespace collect::fuzz {

inline constexpr std::string_view kKey = "NETH-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA";

inline systems::System asking_system() {
  systems::System system;
  system.id = SystemId("id-a");
  system.system_key = kKey;
  system.name = "A \"quoted\" name";
  system.type = "ns8";
  system.fqdn = "a.example.org";
  system.organization_id = OrganizationId("org-1");
  system.organization.logto_id = OrganizationId("org-1");
  system.organization.name = "Org";
  return system;
}

// nullptr: refused, and rightly so.
inline const json::Document* read_exact(std::variant<json::Document, alertmanager::Refusal>& read,
                                        std::string_view text) {
  if (const auto* refusal = std::get_if<alertmanager::Refusal>(&read)) {
    hold(refusal->status == 400, "a refused body is a 400");
    return nullptr;
  }
  hold(is_storable_json(text), "what is read exactly is JSON");
  return &std::get<json::Document>(read);
}

// Of what was written in the system's name.
inline json::Document read_own(const std::string& written) {
  hold(is_storable_json(written), "what is written is JSON");
  auto read = alertmanager::parse_exact(written);
  hold(std::holds_alternative<json::Document>(read), "what is written has no key twice");
  return std::get<json::Document>(std::move(read));
}

}  // namespace collect::fuzz
