// SPDX-License-Identifier: Apache-2.0
#include "alerts/notification_store.h"

namespace collect::alerts {

std::string_view to_string(DeliveryState state) {
  switch (state) {
    case DeliveryState::pending:
      return "pending";
    case DeliveryState::sent:
      return "sent";
    case DeliveryState::dead:
      return "dead";
  }
  return "";
}

std::optional<DeliveryState> parse_delivery_state(std::string_view word) {
  for (const auto state : {DeliveryState::pending, DeliveryState::sent, DeliveryState::dead}) {
    if (word == to_string(state)) return state;
  }
  return std::nullopt;
}

}  // namespace collect::alerts
