// SPDX-License-Identifier: Apache-2.0
// What invented machines are made of.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/dice.h"

namespace collect::fleet {

struct Hardware {
  std::string_view virtual_ns8;   // facts.nodes.*.virtual
  std::string_view virtual_nsec;  // facts.virtual
  std::string_view product;
  std::string_view manufacturer;
  std::string_view processor;
};

const Hardware& server_hardware(Dice& dice);
const Hardware& firewall_hardware(Dice& dice);

// `count` devices as JSON objects. Several may be equal, as on real machines.
std::vector<std::string> pci_devices(std::size_t count, Dice& dice);
// One that none of those machines has from the start.
std::string network_card();
std::string joined(const std::vector<std::string>& parts);  // with ", "

}  // namespace collect::fleet
