// SPDX-License-Identifier: Apache-2.0
// What Alertmanagers are to hear, by tenant and in bounded bodies. Source of the format:
// https://github.com/prometheus/alertmanager/blob/v0.25.0/api/v2/openapi.yaml (postableAlerts). Pure.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "liveness/link_failure.h"

namespace collect::liveness {

// One POST.
struct LinkBatch {
  std::string body;  // a JSON list
  std::size_t alerts = 0;
  std::vector<alerts::AlertId> forget;  // outages that need no more posts after this one
};

class LinkPosts {
 public:
  explicit LinkPosts(std::size_t alerts_per_post) : alerts_per_post_(alerts_per_post) {}
  // What is added first is posted first.
  void add(std::span<const LinkPost> posts);
  // By tenant.
  std::map<std::string, std::vector<LinkBatch>> take();

 private:
  const std::size_t alerts_per_post_;
  std::map<std::string, std::vector<LinkBatch>> tenants_;  // bodies without the last bracket
};

}  // namespace collect::liveness
