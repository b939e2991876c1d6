// SPDX-License-Identifier: Apache-2.0
#include "liveness/link_posts.h"

#include <utility>

#include "base/json.h"

namespace collect::liveness {
namespace {

std::string alert_of(const LinkPost& post) {
  systems::Labels labels = post.posted.labels;
  labels["alertname"] = "LinkFailed";
  labels["severity"] = "critical";
  labels["managed_by"] = "my-collect";
  json::Writer w;
  w.begin_object().key("labels").begin_object();
  for (const auto& [name, value] : labels) w.member(name, value);
  w.end_object().key("annotations").begin_object();
  w.member("summary", post.message).member("description", post.message).end_object();
  w.member("startsAt", to_rfc3339(post.starts_at)).member("endsAt", to_rfc3339(post.ends_at)).end_object();
  return std::move(w).text();
}

}  // namespace

void LinkPosts::add(std::span<const LinkPost> posts) {
  for (const LinkPost& post : posts) {
    auto& batches = tenants_[post.posted.tenant];
    if (batches.empty() || batches.back().alerts >= alerts_per_post_) batches.push_back({});
    LinkBatch& batch = batches.back();
    batch.body += batch.alerts++ == 0 ? '[' : ',';
    batch.body += alert_of(post);
    if (post.forget) batch.forget.push_back(*post.forget);
  }
}

std::map<std::string, std::vector<LinkBatch>> LinkPosts::take() {
  for (auto& [tenant, batches] : tenants_) {
    for (auto& batch : batches) batch.body += ']';
  }
  return std::exchange(tenants_, {});
}

}  // namespace collect::liveness
