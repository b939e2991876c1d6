// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <prometheus/text_serializer.h>

namespace collect {

Metrics::Metrics() : registry_(std::make_shared<prometheus::Registry>()) {}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(registry_->Collect());
}

}  // namespace collect
