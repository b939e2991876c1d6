// SPDX-License-Identifier: Apache-2.0
// What is inside an Appliance: the state of one machine, and all that may happen to it. Each draws from dice
// of its own, so that the same seed tells the same story.
#pragma once

#include <memory>
#include <string>

#include "fleet/appliance.h"
#include "fleet/dice.h"

namespace collect::fleet {

class Machine {
 public:
  explicit Machine(std::uint64_t seed) : dice_(seed) {}
  virtual ~Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // What moves by itself between two reports.
  virtual void pass_time() = 0;
  // Something worth telling.
  virtual Event change() = 0;
  // Appends the inventory.
  virtual void write(std::string& out) = 0;
  [[nodiscard]] virtual const std::string& fqdn() const = 0;

  bool chance(double probability) { return dice_.chance(probability); }

 protected:
  Dice dice_;
};

std::unique_ptr<Machine> make_cluster(std::uint64_t seed, std::size_t size_bytes);   // ns8
std::unique_ptr<Machine> make_firewall(std::uint64_t seed, std::size_t size_bytes);  // nsec

// A version-4 UUID (RFC 9562) out of the dice.
std::string invented_uuid(Dice& dice);

}  // namespace collect::fleet
