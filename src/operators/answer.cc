// SPDX-License-Identifier: Apache-2.0
#include "operators/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "base/hash.h"
#include "base/log.h"

namespace collect::operators {

net::Response failed(const net::RequestHead& head, const Failure& failure) {
  switch (failure.kind) {
    case FailureKind::invalid:
      return net::envelope(400, failure.message);
    case FailureKind::not_found:
      return net::envelope(404, failure.message);
    case FailureKind::conflict:
    case FailureKind::unavailable:
    case FailureKind::internal:
      break;
  }
  log::warn("operator_request_failed",
            {{"request_id", head.request_id}, {"route", head.route}, {"error", failure.message}});
  if (failure.kind == FailureKind::internal) return net::envelope(500, "internal error");
  return net::try_again_later("this cannot be looked up at the moment");
}

std::string etag_of(std::string_view text) {
  const Sha256 digest = sha256(text);
  return fmt::format("\"{}\"", to_hex(std::span(digest).first(16)));
}

bool has_already(const net::RequestHead& head, std::string_view etag) {
  std::string_view list = head.header("If-None-Match");
  while (!list.empty()) {
    std::string_view one = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), one.size() + 1));
    one.remove_prefix(std::min(one.find_first_not_of(" \t"), one.size()));
    one = one.substr(0, one.find_last_not_of(" \t") + 1);
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == etag || one == "*") return true;
  }
  return false;
}

net::Response tagged(net::Response response, std::string_view etag) {
  return std::move(response).with("ETag", std::string(etag)).with("Cache-Control", "private, no-cache");
}

net::Response not_modified(std::string_view etag) {
  net::Response response;
  response.status = 304;
  return tagged(std::move(response), etag);
}

net::Response found(const net::RequestHead& head, std::string_view message, std::string_view data_json) {
  const std::string etag = etag_of(data_json);
  if (has_already(head, etag)) return not_modified(etag);
  return tagged(net::envelope(200, message, data_json), etag);
}

}  // namespace collect::operators
