// SPDX-License-Identifier: Apache-2.0
#include "operators/operators_api.h"

#include <utility>

#include "operators/answer.h"
#include "operators/openapi.h"

namespace collect::operators {
namespace {

constexpr std::size_t kPageThreads = 4;
constexpr std::size_t kWaitingPages = 64;
constexpr std::size_t kExports = 4;
// Nothing is asked for in a body; this much is read and dropped from those who send one.
constexpr std::uint64_t kMaxBody = 64U << 10U;

}  // namespace

void add_openapi(net::Router& router) {
  router.add(net::Method::get, "/api/openapi.yaml",
             net::open_to_all(kMaxBody, net::BodyUse::ignore, [](const net::Request& request) {
               static const std::string etag = etag_of(openapi());
               if (has_already(request, etag)) return not_modified(etag);
               net::Response response;
               response.content_type = "application/yaml";
               response.body = openapi();
               return tagged(std::move(response), etag);
             }));
}

OperatorsApi::OperatorsApi(std::string_view token, Sources sources)
    : guard_(token),
      sources_(std::move(sources)),
      pages_(kPageThreads, kWaitingPages),
      exports_(kExports, 0) {}

void OperatorsApi::add_one(net::Router& router, std::string_view path, One answer) {
  const auto handle = [answer = std::move(answer)](const net::Request& request) {
    Ask ask{request, Parameters(request.query)};
    auto response = answer(ask);
    return response ? *std::move(response) : failed(request, response.failure());
  };
  router.add(net::Method::get, path, {[this, handle](const net::RequestHead& head) -> net::Admission {
               if (!guard_.admits(head.header("Authorization"))) return unauthorized();
               return net::Accepted{kMaxBody, net::BodyUse::ignore, handle, &pages_};
             }});
}

void OperatorsApi::add_many(net::Router& router, std::string_view path, const Many& list) {
  const auto handle_page = [list](const net::Request& request) {
    Ask ask{request, Parameters(request.query)};
    ask.parameters.text("format");
    const auto listing = list(ask);
    if (!listing) return failed(request, listing.failure());
    const Paging paging = read_paging(ask.parameters);
    if (auto done = ask.parameters.done(); !done) return failed(request, done.failure());
    const auto page = page_json(*listing, paging);
    return page ? found(request, listing->message, *page) : failed(request, page.failure());
  };
  const auto handle_export = [list](const net::Request& request) {
    Ask ask{request, Parameters(request.query)};
    ask.parameters.text("format");
    auto listing = list(ask);
    if (!listing) return failed(request, listing.failure());
    refuse_paging(ask.parameters);
    if (auto done = ask.parameters.done(); !done) return failed(request, done.failure());
    const Format format = format_of(request).value();
    net::Response response;
    response.content_type = content_type(format);
    response.with("Content-Disposition", std::string("attachment; filename=\"") + std::string(listing->name) +
                                             (format == Format::csv ? ".csv\"" : ".ndjson\""));
    response.source = export_of(*std::move(listing), format);
    response.source_bytes = net::kUntilItEnds;
    return response;
  };
  router.add(net::Method::get, path,
             {[this, handle_page, handle_export](const net::RequestHead& head) -> net::Admission {
               if (!guard_.admits(head.header("Authorization"))) return unauthorized();
               const auto format = format_of(head);
               if (!format) return failed(head, format.failure());
               if (*format == Format::json) {
                 return net::Accepted{kMaxBody, net::BodyUse::ignore, handle_page, &pages_};
               }
               return net::Accepted{0, net::BodyUse::stream, handle_export, &exports_};
             }});
}

void OperatorsApi::add_to(net::Router& router) {
  const auto one = [&](std::string_view path, Result<net::Response> (OperatorsApi::*answer)(Ask&)) {
    add_one(router, path, [this, answer](Ask& ask) { return (this->*answer)(ask); });
  };
  const auto many = [&](std::string_view path, Result<Listing> (OperatorsApi::*list)(Ask&)) {
    add_many(router, path, [this, list](Ask& ask) { return (this->*list)(ask); });
  };
  many("/api/systems", &OperatorsApi::list_systems);
  one("/api/systems/{id}", &OperatorsApi::show_system);
  many("/api/systems/{id}/inventory", &OperatorsApi::list_records);
  one("/api/systems/{id}/inventory/latest", &OperatorsApi::show_latest_record);
  one("/api/systems/{id}/inventory/{record_id}", &OperatorsApi::show_record);
  many("/api/systems/{id}/inventory/timeline", &OperatorsApi::list_days);
  many("/api/systems/{id}/inventory/diffs", &OperatorsApi::list_diffs);
  many("/api/systems/{id}/inventory/diffs/latest", &OperatorsApi::list_latest_diffs);
  one("/api/systems/{id}/inventory/changes", &OperatorsApi::show_changes);
  many("/api/alerts/inventory", &OperatorsApi::list_alerts);
  one("/api/queues", &OperatorsApi::show_queues);
  one("/api/stats", &OperatorsApi::show_stats);
}

}  // namespace collect::operators
