// SPDX-License-Identifier: Apache-2.0
// A delivery in words, the same on every channel. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/alert.h"

namespace collect::alerts {

// alerts: about one system. summary: about several systems of an organization. test: made up (its alerts have
// the id 0, which no row has) for somebody who asked whether the channel works.
enum class DeliveryKind : std::uint8_t { alerts, summary, test };
std::string_view to_string(DeliveryKind kind);
DeliveryKind kind_of(const Delivery& delivery);

// What is in a delivery, counted. Of many alerts only the most severe are shown one by one. Refers to the
// delivery, which must outlive it.
struct Digest {
  Digest(const Delivery& of, std::size_t most_shown);

  const Delivery& delivery;
  DeliveryKind kind;
  std::span<const DeliveryItem> shown;  // the first of the delivery's
  std::size_t more = 0;                 // that are not shown
  std::size_t firing = 0;
  std::size_t resolved = 0;
  std::size_t systems = 0;
  std::array<std::size_t, 4> by_severity{};  // from low to critical
  std::map<std::string, std::size_t, std::less<>> by_type;
  Time oldest{};  // created_at of the oldest alert
};

// One line: "[Collect] critical: Node 2 left the cluster rl1 (+3)".
std::string subject(const Digest& digest);
// Some lines, the last of them without an end. However many alerts there are, it stays readable.
std::string plain_text(const Digest& digest);
// The same as a whole document.
std::string html_text(const Digest& digest);

// An alert's message on one line of bounded length.
std::string one_line(std::string_view message);

}  // namespace collect::alerts
