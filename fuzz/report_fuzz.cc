// SPDX-License-Identifier: Apache-2.0
// inventory/report and inventory/derive: what appliances post, from the door to the columns.
#include <arpa/inet.h>

#include <array>

#include "base/json.h"
#include "fuzz/fuzz.h"
#include "fuzz/plain_json.h"
#include "inventory/derive.h"
#include "inventory/report.h"

namespace collect::fuzz {
namespace {

using inventory::ApplicationRules;
using inventory::Derived;

bool is_address(const std::optional<std::string>& text, int family) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  return !text || inet_pton(family, text->c_str(), parsed.data()) == 1;
}

void hold_columns(const Derived& derived) {
  const auto& facts = derived.facts;
  hold(is_address(facts.ipv4_address, AF_INET) && is_address(facts.ipv6_address, AF_INET6),
       "an address is one");
  for (const auto* text : {&facts.name, &facts.fqdn, &facts.version, &facts.type}) {
    hold(!*text || (!(*text)->empty() && (*text)->size() <= 255), "a fact fits its column");
  }
  if (!derived.applications) return;
  const inventory::ApplicationOutline* before = nullptr;
  for (const auto& outline : *derived.applications) {
    hold(before == nullptr || before->module_id < outline.module_id, "each module once, sorted");
    before = &outline;
    const auto application = derived.spell_out(outline);
    hold(application.module_id == outline.module_id, "an application keeps its id");
    hold(is_storable_json(application.inventory_data), "an application's data is JSON");
    hold(!application.node_id || *application.node_id >= 0, "a node's number is one");
  }
}

// White space and the order of keys mean nothing.
void hold_same_from(std::string_view rewritten, const Derived& derived, const ApplicationRules& rules) {
  const auto document = json::Document::parse(rewritten);
  hold(document.ok(), "a document that is written anew can be read");
  const Derived again = derive(document->root(), rules);
  hold(again.fingerprint == derived.fingerprint, "a document that is written anew says the same");
  if (!derived.applications) return;
  for (std::size_t i = 0; i < derived.applications->size(); ++i) {
    const auto one = derived.spell_out((*derived.applications)[i]);
    const auto other = again.spell_out((*again.applications)[i]);
    hold(one.url == other.url && one.inventory_data == other.inventory_data && one.name == other.name,
         "an application of a document that is written anew is the same");
  }
}

}  // namespace

void run(std::string_view input) {
  static const ApplicationRules kRules = ApplicationRules::load("", "built-in").value();
  const auto report = inventory::read_report(input);
  if (!report) {
    hold(report.failure().kind == FailureKind::invalid, "what is refused is the sender's fault");
    return;
  }
  hold(is_storable_json(input), "what is accepted can be stored");
  const auto document = json::Document::parse(report->document);
  hold(document.ok() && document->root().is_object() && !document->root().members.empty(),
       "an inventory is an object that says something");
  const Derived derived = derive(document->root(), kRules);
  hold_columns(derived);
  hold_same_from(json::to_text(document->root()), derived, kRules);
}

}  // namespace collect::fuzz
