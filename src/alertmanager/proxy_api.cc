// SPDX-License-Identifier: Apache-2.0
#include "alertmanager/proxy_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "alertmanager/answer.h"
#include "alertmanager/posted_alert.h"
#include "alertmanager/scoped_query.h"
#include "base/log.h"
#include "net/content_encoding.h"
#include "systems/guard.h"

namespace collect::alertmanager {
namespace {

using net::Response;
using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr std::uint64_t kIgnoredBody = 64U << 10U;  // of requests that need none
constexpr std::string_view kAway = "the Alertmanager is not available";

bool has_body(Call call) {
  return call == Call::post_alerts || call == Call::post_silence;
}

Response raw_json(std::string body) {
  Response response;
  response.body = std::move(body);
  return response;
}

// What no client writes by accident into the path of an API.
bool is_path_trick(std::string_view path) {
  return path.find("..") != std::string_view::npos || path.find("//") != std::string_view::npos ||
         path.find_first_of("%\\;") != std::string_view::npos;
}

}  // namespace

std::string_view to_string(Call call) {
  switch (call) {
    case Call::post_alerts:
      return "post_alerts";
    case Call::get_alerts:
      return "get_alerts";
    case Call::post_silence:
      return "post_silence";
    case Call::get_silences:
      return "get_silences";
    case Call::get_silence:
      return "get_silence";
    case Call::delete_silence:
      return "delete_silence";
  }
  return "get_alerts";
}

ProxyApi::ProxyApi(TenantClient& client, systems::Authenticator& authenticator, systems::SystemStore& store,
                   const Clock& clock, Options options)
    : client_(client), authenticator_(authenticator), store_(store), clock_(clock), options_(options) {}

void ProxyApi::add_to(net::Router& router) {
  for (const std::string root : {"/api/services/mimir/", "/services/mimir/"}) {
    const std::string api = root + "alertmanager/api/v2/";
    router.add(net::Method::post, api + "alerts", endpoint(Call::post_alerts));
    router.add(net::Method::get, api + "alerts", endpoint(Call::get_alerts));
    router.add(net::Method::post, api + "silences", endpoint(Call::post_silence));
    router.add(net::Method::get, api + "silences", endpoint(Call::get_silences));
    for (const std::string by_id : {"silence/{id}", "silences/{id}"}) {
      router.add(net::Method::get, api + by_id, endpoint(Call::get_silence));
      router.add(net::Method::delete_, api + by_id, endpoint(Call::delete_silence));
    }
    router.add_rest(root, nothing_there());
  }
}

// ---------------------------------------------------------------- the door

net::Endpoint ProxyApi::endpoint(Call call) {
  return systems::for_systems(
      authenticator_,
      [this, call](const net::RequestHead&,
                   std::shared_ptr<const systems::System> system) -> std::variant<Response, net::Accepted> {
        if (!client_.has_url()) return net::envelope(503, "MIMIR_URL is not set: there is no Alertmanager");
        net::Accepted accepted;
        accepted.max_body_bytes = has_body(call) ? options_.max_body_bytes : kIgnoredBody;
        accepted.use = has_body(call) ? net::BodyUse::buffer : net::BodyUse::ignore;
        accepted.pool = options_.pool;
        accepted.handle = [this, call, system = std::move(system)](net::Request request) {
          return answer(call, *system, std::move(request));
        };
        return accepted;
      });
}

net::Endpoint ProxyApi::nothing_there() {
  return systems::for_systems(
      authenticator_,
      [this](const net::RequestHead& head,
             const std::shared_ptr<const systems::System>& system) -> std::variant<Response, net::Accepted> {
        const Smell smell = is_path_trick(head.path) ? Smell::path_trick : Smell::none;
        return refuse({404, "api not found", smell}, head, *system);
      });
}

Response ProxyApi::answer(Call call, const systems::System& system, net::Request request) {
  auto& outcomes = counters_.calls.at(static_cast<std::size_t>(call));
  auto now = systems::as_it_is_now(authenticator_, store_, system);
  Response response;
  if (auto* instead = std::get_if<Response>(&now)) {
    response = std::move(*instead);
  } else {
    Context context{call, std::get<systems::System>(std::move(now)), Steady::now() + options_.time,
                    std::move(request)};
    response = dispatch(context);
  }
  ++(response.status < 300 ? outcomes.passed : response.status < 500 ? outcomes.refused : outcomes.failed);
  return response;
}

Response ProxyApi::dispatch(Context& context) {
  switch (context.call) {
    case Call::post_alerts:
      return post_alerts(context);
    case Call::post_silence:
      return post_silence(context);
    case Call::get_alerts:
    case Call::get_silences:
      return get_list(context);
    case Call::get_silence:
      return get_silence(context);
    case Call::delete_silence:
      return delete_silence(context);
  }
  return net::envelope(404, "api not found");
}

// ---------------------------------------------------------------- the calls

Response ProxyApi::post_alerts(Context& context) {
  auto body = read_body(context);
  if (auto* instead = std::get_if<Response>(&body)) return std::move(*instead);
  auto alerts = read_posted_alerts(std::get<json::Document>(body).root());
  if (!alerts) return net::envelope(400, alerts.failure().message);
  enrich(*alerts, context.system);
  const std::string text = to_json(*alerts);
  auto answered = ask(context, {"", "POST", "alerts", "", text});
  if (auto* instead = std::get_if<Response>(&answered)) return std::move(*instead);
  counters_.alerts += alerts->size();
  return net::envelope(200, "alerts accepted");
}

Response ProxyApi::post_silence(Context& context) {
  auto body = read_body(context);
  if (auto* instead = std::get_if<Response>(&body)) return std::move(*instead);
  const auto silence =
      read_posted_silence(std::get<json::Document>(body).root(), context.system.system_key, clock_.now());
  if (!silence) return net::envelope(400, silence.failure().message);
  // An Alertmanager takes a silence with an id for a change of the one that has it.
  if (!silence->id.empty()) {
    auto owned = own_silence(context, silence->id);
    if (auto* instead = std::get_if<Response>(&owned)) return std::move(*instead);
  }
  const std::string text = to_posted_json(*silence);
  auto answered = ask(context, {"", "POST", "silences", "", text});
  if (auto* instead = std::get_if<Response>(&answered)) return std::move(*instead);
  const auto id = posted_silence_id(std::get<std::string>(answered));
  if (!id) return unusable(context, id.failure().message);
  return raw_json(fmt::format(R"({{"silenceID":"{}"}})", *id));
}

Response ProxyApi::get_list(Context& context) {
  const bool of_alerts = context.call == Call::get_alerts;
  const std::string& key = context.system.system_key;
  const std::string& asked = context.request.query;
  auto query = of_alerts ? scoped_alerts_query(asked, key) : scoped_silences_query(asked, key);
  if (!query) return net::envelope(400, query.failure().message);
  auto answered = ask(context, {"", "GET", of_alerts ? "alerts" : "silences", *std::move(query), ""});
  if (auto* instead = std::get_if<Response>(&answered)) return std::move(*instead);
  const auto& text = std::get<std::string>(answered);
  auto own = of_alerts ? own_alerts(text, key) : own_silences(text, key);
  if (!own) return unusable(context, own.failure().message);
  counters_.rows_hidden += own->hidden;
  return raw_json(std::move(own->json));
}

Response ProxyApi::get_silence(Context& context) {
  auto owned = own_silence(context, context.request.params.at(0));
  if (auto* instead = std::get_if<Response>(&owned)) return std::move(*instead);
  json::Writer w;
  write_shown(w, std::get<Silence>(owned));
  return raw_json(std::move(w).text());
}

Response ProxyApi::delete_silence(Context& context) {
  auto owned = own_silence(context, context.request.params.at(0));
  if (auto* instead = std::get_if<Response>(&owned)) return std::move(*instead);
  auto answered = ask(context, {"", "DELETE", "silence/" + std::get<Silence>(owned).id, "", ""});
  if (auto* instead = std::get_if<Response>(&answered)) return std::move(*instead);
  return net::envelope(200, "silence expired");
}

// ---------------------------------------------------------------- steps

std::variant<Response, json::Document> ProxyApi::read_body(Context& context) {
  net::Request& request = context.request;
  auto decoded =
      net::decode_body(std::move(request.body), request.header("Content-Encoding"), options_.max_body_bytes);
  switch (decoded.state) {
    case net::Decoding::done:
      break;
    case net::Decoding::unsupported:
      return net::envelope(415, "expected Content-Encoding identity or gzip");
    case net::Decoding::too_large:
      return net::envelope(413, "request body too large",
                           fmt::format(R"({{"max_size_bytes":{}}})", options_.max_body_bytes));
    case net::Decoding::broken:
      return net::envelope(400, "the body is not gzip, or was cut off, or something follows it");
  }
  auto parsed = parse_exact(decoded.body);
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) return refuse(*refusal, request, context.system);
  return std::get<json::Document>(std::move(parsed));
}

std::variant<Response, Silence> ProxyApi::own_silence(Context& context, const std::string& id) {
  const auto known = silence_id(id);
  if (!known) {
    const bool odd = !std::all_of(id.begin(), id.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    });
    return refuse(
        {400, "expected the id of a silence, which is a UUID", odd ? Smell::path_trick : Smell::none},
        context.request, context.system);
  }
  auto answered = ask(context, {"", "GET", "silence/" + *known, "", ""});
  if (auto* instead = std::get_if<Response>(&answered)) return std::move(*instead);
  auto silence = the_silence(std::get<std::string>(answered), *known);
  if (!silence) return unusable(context, silence.failure().message);
  if (!belongs_to(*silence, context.system.system_key)) {
    return refuse({403, "this silence is not of this system", Smell::foreign_silence}, context.request,
                  context.system, *known);
  }
  return *std::move(silence);
}

std::variant<Response, std::string> ProxyApi::ask(Context& context, TenantRequest request) {
  request.tenant = systems::tenant_of(context.system);
  const auto left = std::chrono::duration_cast<milliseconds>(context.deadline - Steady::now());
  const bool changes = request.method == "POST";
  auto answered = client_.ask(request, std::max(left, milliseconds(1)));
  if (!answered) {
    if (answered.failure().kind != FailureKind::unavailable)
      return unusable(context, answered.failure().message);
    outage_.began(answered.failure().message);
    return net::try_again_later(kAway);
  }
  const int status = answered->status;
  if (status == 406 || status == 429 || status == 503) {
    outage_.began(fmt::format("it answered {}", status));
    return net::try_again_later(kAway);
  }
  outage_.over();
  if (status >= 200 && status <= 299) return std::move(answered->body);
  if (status == 404 && request.path.starts_with("silence/")) return net::envelope(404, "silence not found");
  // A changed silence may be gone meanwhile.
  if (status == 404 && request.path == "silences" && changes) return net::envelope(404, "silence not found");
  // Its own words may name other machines: they stay here.
  if (status == 400 || status == 422) {
    return net::envelope(
        400, changes ? "the Alertmanager refuses what was posted" : "the Alertmanager refuses this query");
  }
  if (status == 413) return net::envelope(413, "the Alertmanager refuses it as too large");
  return unusable(context, fmt::format("it answered {}", status));
}

Response ProxyApi::unusable(const Context& context, std::string_view why) {
  log::warn("alertmanager_unusable", {{"call", to_string(context.call)},
                                      {"reason", why},
                                      {"system_key", context.system.system_key},
                                      {"request_id", context.request.request_id}});
  return net::envelope(502, "the Alertmanager gave no usable answer");
}

Response ProxyApi::refuse(const Refusal& refusal, const net::RequestHead& head, const systems::System& system,
                          std::string_view silence) {
  if (refusal.smell != Smell::none) {
    ++counters_.audited;
    // Nothing in here is as the client wrote it: an id was found to be a UUID.
    log::warn("audit", {{"reason", to_string(refusal.smell)},
                        {"status", refusal.status},
                        {"method", net::to_string(head.method)},
                        {"route", head.route},
                        {"silence_id", silence},
                        {"system_key", system.system_key},
                        {"system_id", system.id.text()},
                        {"organization_id", system.organization_id.text()},
                        {"peer_address", head.peer_address},
                        {"request_id", head.request_id}});
  }
  return net::envelope(refusal.status, refusal.message);
}

}  // namespace collect::alertmanager
