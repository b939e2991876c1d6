// SPDX-License-Identifier: Apache-2.0
#include "fleet/appliance.h"

#include <fmt/format.h>

#include "fleet/machine.h"

namespace collect::fleet {

std::string_view to_string(Kind kind) {
  return kind == Kind::ns8 ? "ns8" : "nsec";
}

Appliance::Appliance(const ApplianceOptions& options)
    : machine_(options.kind == Kind::ns8 ? make_cluster(options.seed, options.size_bytes)
                                         : make_firewall(options.seed, options.size_bytes)),
      event_probability_(options.event_probability) {}

Appliance::~Appliance() = default;
Appliance::Appliance(Appliance&&) noexcept = default;
Appliance& Appliance::operator=(Appliance&&) noexcept = default;

const Report& Appliance::first() {
  report_.event.reset();
  render();
  return report_;
}

const Report& Appliance::next() {
  machine_->pass_time();
  report_.event.reset();
  if (machine_->chance(event_probability_)) report_.event = machine_->change();
  render();
  return report_;
}

const std::string& Appliance::fqdn() const {
  return machine_->fqdn();
}

void Appliance::render() {
  report_.json.clear();
  machine_->write(report_.json);
}

std::string invented_uuid(Dice& dice) {
  const auto high = dice.roll();
  const auto low = dice.roll();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", high >> 32U, (high >> 16U) & 0xffffU,
                     high & 0xfffU, 0x8000U | (low >> 50U), low & 0xffffffffffffU);
}

}  // namespace collect::fleet
