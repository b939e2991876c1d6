// SPDX-License-Identifier: Apache-2.0
#include "app/health_api.h"

#include "app/version.h"
#include "base/json.h"

namespace collect::app {
namespace {

std::string version_json() {
  json::Writer writer;
  writer.begin_object()
      .member("version", kVersion)
      .member("commit", kCommit)
      .member("build_time", kBuildTime);
  writer.end_object();
  return std::move(writer).text();
}

// HTTP monitors send no body; whatever comes is dropped.
constexpr std::uint64_t kIgnoredBody = 4096;

void add(net::Router& router, std::string_view path, std::function<net::Response(net::Request)> handle) {
  router.add(net::Method::get, path, net::open_to_all(kIgnoredBody, net::BodyUse::ignore, std::move(handle)));
}

}  // namespace

void add_health(net::Router& router, const Readiness& readiness) {
  add(router, "/api/health", [readiness](const net::Request&) {
    return readiness().empty() ? net::envelope(200, "service healthy", version_json())
                               : net::envelope(503, "service unhealthy", version_json());
  });
  add(router, "/api/health/live",
      [](const net::Request&) { return net::envelope(200, "service live", version_json()); });
  add(router, "/api/health/ready", [readiness](const net::Request&) {
    const std::vector<std::string> missing = readiness();
    json::Writer writer;
    writer.begin_object().key("not_ready").begin_array();
    for (const std::string& sentence : missing) writer.value(sentence);
    writer.end_array().end_object();
    return missing.empty() ? net::envelope(200, "service ready", writer.text())
                           : net::envelope(503, "service not ready", writer.text());
  });
}

void add_metrics(net::Router& router, std::function<std::string()> page) {
  add(router, "/metrics", [page = std::move(page)](const net::Request&) {
    net::Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = page();
    return response;
  });
}

}  // namespace collect::app
