// SPDX-License-Identifier: Apache-2.0
// The registry of Prometheus metrics, and its text form. A part's metrics are declared beside the part.
#pragma once

#include <prometheus/registry.h>

#include <memory>
#include <string>

namespace collect {

// Owned by the wiring, handed to the parts that count. Counting is thread-safe and cheap.
class Metrics {
 public:
  Metrics();
  prometheus::Registry& registry() { return *registry_; }
  // The Prometheus text exposition format, version 0.0.4.
  [[nodiscard]] std::string text() const;

 private:
  std::shared_ptr<prometheus::Registry> registry_;
};

}  // namespace collect
