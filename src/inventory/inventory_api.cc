// SPDX-License-Identifier: Apache-2.0
#include "inventory/inventory_api.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/log.h"
#include "inventory/receipt_id.h"
#include "inventory/report.h"
#include "net/content_encoding.h"
#include "queue/message.h"
#include "systems/guard.h"

namespace collect::inventory {
namespace {

std::string receipt_json(std::string_view receipt, const std::optional<Receipt>& known, Time issued_at) {
  json::Writer writer;
  writer.begin_object().member("receipt", receipt);
  if (known) {
    writer.member("status", to_string(known->outcome));
    writer.member("processed", known->compared || known->outcome == Outcome::unchanged);
    writer.key("record_id");
    known->record_id ? writer.value(static_cast<std::int64_t>(*known->record_id)) : writer.value(nullptr);
    writer.member("change_count", known->change_count);
    known->reason.empty() ? writer.member("reason", nullptr) : writer.member("reason", known->reason);
    writer.member("received_at", to_rfc3339(known->received_at));
  } else {
    writer.member("status", "queued").member("processed", false).member("record_id", nullptr);
    writer.member("change_count", 0).member("reason", nullptr).member("received_at", to_rfc3339(issued_at));
  }
  writer.end_object();
  return std::move(writer).text();
}

}  // namespace

InventoryApi::InventoryApi(Enqueue enqueue, IntakeStore& store, const Clock& clock, Options options)
    : enqueue_(std::move(enqueue)),
      store_(store),
      clock_(clock),
      options_(options),
      budget_(options.budget_per_minute) {}

void InventoryApi::add_to(net::Router& router, systems::Authenticator& authenticator) {
  router.add(net::Method::post, "/api/systems/inventory",
             systems::for_systems(authenticator, options_.max_request_bytes, net::BodyUse::buffer,
                                  [this](const systems::System& system, net::Request request) {
                                    return post(system, std::move(request));
                                  }));
  router.add(net::Method::get, "/api/systems/inventory/receipts/{receipt}",
             systems::for_systems(authenticator, 0, net::BodyUse::ignore,
                                  [this](const systems::System& system, const net::Request& request) {
                                    return receipt(system, request);
                                  }));
}

net::Response InventoryApi::too_large() const {
  return net::envelope(413, "request body too large",
                       fmt::format(R"({{"max_size_bytes":{}}})", options_.max_request_bytes));
}

net::Response InventoryApi::post(const systems::System& system, net::Request request) {
  const auto begin = std::chrono::steady_clock::now();
  const std::string_view encoding = request.header("Content-Encoding");
  net::Decoded decoded = net::decode_body(std::move(request.body), encoding, options_.max_request_bytes);
  switch (decoded.state) {
    case net::Decoding::done:
      break;
    case net::Decoding::unsupported:
      ++counters_.bad;
      return net::envelope(415, fmt::format("unsupported Content-Encoding \"{}\", expected gzip or identity",
                                            net::shown(encoding)));
    case net::Decoding::too_large:
      ++counters_.bad;
      return too_large();
    case net::Decoding::broken:
      ++counters_.bad;
      return net::envelope(400, "the body is not one whole gzip stream, as Content-Encoding says it is");
  }
  const auto report = read_report(decoded.body);
  if (!report) {
    ++counters_.bad;
    return net::envelope(400, report.failure().message);
  }
  if (const auto wait = budget_.take(system.id, clock_.now())) {
    ++counters_.over_budget;
    return net::envelope(429, fmt::format("too many inventories from this system, at most {} a minute",
                                          options_.budget_per_minute))
        .with("Retry-After", std::to_string(wait->count()));
  }
  auto answer = accept(system, report->document, report->sender_time);
  if (answer.status == 202) {
    counters_.accept_time.observe(
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin));
  }
  return answer;
}

// Strictly rising within this process, so that two inventories of one system never tie.
Time InventoryApi::receive_time() {
  Time::rep last = last_received_.load(std::memory_order_relaxed);
  Time::rep next = 0;
  do {
    next = std::max(clock_.now().time_since_epoch().count(), last + 1);
  } while (!last_received_.compare_exchange_weak(last, next, std::memory_order_relaxed));
  return Time(Duration(next));
}

net::Response InventoryApi::accept(const systems::System& system, std::string_view document,
                                   std::optional<Time> sender_time) {
  const Time now = receive_time();
  const std::string timestamp = to_rfc3339(now);
  queue::Message message;
  message.id = new_receipt(system.id, now);
  message.type = queue::Stage::inventory;
  message.system_id = system.id;
  message.max_attempts = options_.max_attempts;
  message.created_at = now;
  message.data.reserve(document.size() + 256);
  message.data =
      fmt::format(R"({{"system_id":{},"timestamp":"{}",)", json::quote(system.id.text()), timestamp);
  if (sender_time) message.data += fmt::format(R"("sender_timestamp":"{}",)", to_rfc3339(*sender_time));
  message.data += "\"data\":";
  message.data += document;
  message.data += '}';
  if (auto enqueued = enqueue_(queue::encode(message)); !enqueued) {
    ++counters_.unavailable;
    return net::try_again_later("the inventory was not taken: the queue is full or away");
  }
  ++counters_.accepted;
  counters_.accepted_bytes += document.size();
  json::Writer writer;
  writer.begin_object().member("receipt", message.id.text()).member("system_id", system.id.text());
  writer.member("system_key", system.system_key).member("timestamp", timestamp);
  writer.member("data_size", static_cast<std::int64_t>(document.size())).member("queue_status", "queued");
  writer.member("message", "inventory queued for processing").end_object();
  return net::envelope(202, "inventory accepted", writer.text());
}

net::Response InventoryApi::receipt(const systems::System& system, const net::Request& request) {
  const std::string& id = request.params.at(0);
  const Time now = clock_.now();
  if (!is_uuid(id)) return net::envelope(400, "a receipt is a UUID, as the 202 gave it");
  const auto known = store_.receipt(system.id, MessageId(id));
  if (!known) return net::try_again_later("receipts cannot be looked up at the moment");
  const auto issued_at = receipt_time(id, system.id);
  const bool pending = issued_at && now - *issued_at < options_.receipts_kept;
  if (!*known && !pending) return net::envelope(404, "receipt not found");
  return net::envelope(200, "receipt", receipt_json(id, *known, issued_at.value_or(now)));
}

}  // namespace collect::inventory
