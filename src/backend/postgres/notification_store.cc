// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/notification_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "backend/postgres/alert_rows.h"
#include "backend/postgres/system_rows.h"

namespace collect::postgres {
namespace {

using alerts::Attempted;
using alerts::ChannelDepth;
using alerts::Delivery;
using alerts::DeliveryState;
using alerts::DispatchState;
using alerts::ListedDelivery;
using alerts::NewDelivery;
using alerts::NotificationId;

// The first number tells this use of advisory locks from others; it is arbitrary.
constexpr std::string_view kLockChannel = "SELECT pg_advisory_xact_lock(1634496882, hashtext($1))";

constexpr std::string_view kWaiting =
    "SELECT id, system_id, organization_id, critical, created_at FROM ("
    "SELECT *, row_number() OVER (PARTITION BY organization_id, critical ORDER BY created_at, id) AS place "
    "FROM alert_notifications WHERE channel = $1 AND delivery_id IS NULL) AS w "
    "WHERE place <= $2 ORDER BY created_at, id";

constexpr std::string_view kRecent =
    "SELECT organization_id, system_id, critical, created_at FROM alert_deliveries "
    "WHERE channel = $1 AND created_at >= $2 ORDER BY created_at, id";

// `state <> 'sent'` is what the index says.
constexpr std::string_view kClaim =
    "WITH due AS MATERIALIZED (SELECT id FROM alert_deliveries "
    "WHERE channel = $1 AND state <> 'sent' AND state = 'pending' AND next_attempt_at <= $2 "
    "AND (claimed_until IS NULL OR claimed_until <= $2) ORDER BY created_at, id LIMIT $4 "
    "FOR NO KEY UPDATE SKIP LOCKED) "
    "UPDATE alert_deliveries AS d SET claimed_until = $3 FROM due WHERE d.id = due.id "
    "RETURNING d.id, d.organization_id, d.system_id IS NULL, d.attempts, d.created_at";

std::optional<SystemId> maybe_system_id(const Rows& rows, int row, int column) {
  if (rows.is_null(row, column)) return std::nullopt;
  return SystemId(rows.text(row, column));
}

DispatchState lock_and_read(Transaction& transaction, std::string_view channel, Time recent_since,
                            std::size_t limit) {
  transaction.add(std::string(kLockChannel), Params::of(channel));
  transaction.add(std::string(kWaiting), Params::of(channel, limit));
  transaction.add(std::string(kRecent), Params::of(channel, recent_since));
  const auto answers = transaction.flush();
  DispatchState state;
  const auto& waiting = answers[1];
  for (int row = 0; row < waiting.count(); ++row) {
    state.waiting.push_back({NotificationId{waiting.int64(row, 0)}, SystemId(waiting.text(row, 1)),
                             OrganizationId(waiting.text(row, 2)), waiting.flag(row, 3),
                             waiting.time(row, 4)});
  }
  const auto& recent = answers[2];
  for (int row = 0; row < recent.count(); ++row) {
    state.recent.push_back({OrganizationId(recent.text(row, 0)), maybe_system_id(recent, row, 1),
                            recent.flag(row, 2), recent.time(row, 3)});
  }
  return state;
}

void add_deliveries(Transaction& transaction, std::string_view channel,
                    const std::vector<NewDelivery>& planned, Time now) {
  Params params;
  params.array(planned, [](const NewDelivery& one) { return std::string_view(one.id); })
      .array(planned, [](const NewDelivery& one) { return one.organization_id; })
      .array(planned, [](const NewDelivery& one) { return one.system_id; })
      .array(planned, [](const NewDelivery& one) { return one.critical; })
      .add(channel)
      .add(now);
  transaction.add(
      "INSERT INTO alert_deliveries (id, channel, organization_id, system_id, critical, state, created_at, "
      "next_attempt_at) SELECT u.id, $5, u.organization_id, u.system_id, u.critical, 'pending', "
      "$6::timestamptz, $6 FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[]) "
      "AS u(id, organization_id, system_id, critical)",
      std::move(params));
}

struct Place {
  NotificationId id{};
  const NewDelivery* delivery;
};

void put_in(Transaction& transaction, const std::vector<NewDelivery>& planned) {
  std::vector<Place> places;
  for (const auto& one : planned) {
    for (const auto id : one.notifications) places.push_back({id, &one});
  }
  const auto rows = transaction.run(
      "UPDATE alert_notifications AS n SET delivery_id = u.delivery_id "
      "FROM unnest($1::bigint[], $2::text[]) AS u(id, delivery_id) "
      "WHERE n.id = u.id AND n.delivery_id IS NULL",
      Params()
          .array(places, [](const Place& place) { return place.id; })
          .array(places, [](const Place& place) { return std::string_view(place.delivery->id); }));
  // The lock keeps other plans out, but not the deletion of alerts.
  if (static_cast<std::size_t>(rows.affected()) != places.size()) {
    throw Fault(unavailable("some notifications went away while they were planned; ask again"));
  }
}

Delivery delivery_at(const Rows& rows, int row, std::string_view channel) {
  Delivery delivery;
  delivery.id = rows.text(row, 0);
  delivery.channel = channel;
  delivery.organization_id = OrganizationId(rows.text(row, 1));
  delivery.summary = rows.flag(row, 2);
  delivery.attempts = static_cast<int>(rows.int64(row, 3));
  delivery.created_at = rows.time(row, 4);
  return delivery;
}

std::vector<Delivery> claim_due(Transaction& transaction, std::string_view channel, Time now, Time until,
                                std::size_t limit) {
  const auto rows = transaction.run(std::string(kClaim), Params::of(channel, now, until, limit));
  std::vector<Delivery> deliveries;
  for (int row = 0; row < rows.count(); ++row) deliveries.push_back(delivery_at(rows, row, channel));
  std::ranges::sort(deliveries, {}, [](const Delivery& one) { return std::tie(one.created_at, one.id); });
  return deliveries;
}

std::map<SystemId, systems::System> read_systems(Transaction& transaction, const Schema& schema,
                                                 const std::set<std::string>& ids) {
  const auto rows = transaction.run(
      select_systems(schema) + fmt::format("WHERE s.id = ANY($1::{}[])", schema.type("systems.id")),
      Params().array(ids, [](const std::string& id) { return std::string_view(id); }));
  std::map<SystemId, systems::System> systems;
  for (int row = 0; row < rows.count(); ++row) {
    auto system = system_at(rows, row);
    auto id = system.id;
    systems.emplace(std::move(id), std::move(system));
  }
  return systems;
}

// Alerts may have lost their system where another program made the tables.
systems::System system_or_id(const std::map<SystemId, systems::System>& systems, const SystemId& id) {
  const auto place = systems.find(id);
  if (place != systems.end()) return place->second;
  systems::System gone;
  gone.id = id;
  return gone;
}

void read_items(Transaction& transaction, const Schema& schema, std::vector<Delivery>& deliveries) {
  const auto rows = transaction.run(
      fmt::format("SELECT {}, n.delivery_id, n.news FROM alert_notifications n "
                  "JOIN inventory_alerts a ON a.id = n.alert_id {} WHERE n.delivery_id = ANY($1::text[])",
                  kAlertColumns, kDiffOfAlert),
      Params().array(deliveries, [](const Delivery& one) { return std::string_view(one.id); }));
  std::set<std::string> ids;
  for (int row = 0; row < rows.count(); ++row) {
    if (schema.can_hold("systems.id", rows.view(row, 1))) ids.insert(rows.text(row, 1));
  }
  const auto systems = read_systems(transaction, schema, ids);
  std::map<std::string_view, Delivery*> by_id;
  for (auto& delivery : deliveries) by_id.emplace(delivery.id, &delivery);
  for (int row = 0; row < rows.count(); ++row) {
    auto alert = alert_at(rows, row);
    auto system = system_or_id(systems, alert.system_id);
    const auto news =
        alerts::parse_news(rows.view(row, kAlertColumnCount + 1)).value_or(alerts::News::firing);
    by_id.at(rows.view(row, kAlertColumnCount))->items.push_back({news, std::move(alert), std::move(system)});
  }
  for (auto& delivery : deliveries) delivery.items = alerts::in_order(std::move(delivery.items));
}

void drop_empty(Transaction& transaction, std::vector<Delivery>& deliveries) {
  std::vector<std::string> empty;
  for (const auto& delivery : deliveries) {
    if (delivery.items.empty()) empty.push_back(delivery.id);
  }
  if (empty.empty()) return;
  transaction.add("DELETE FROM alert_deliveries WHERE id = ANY($1::text[])", Params().texts(empty));
  std::erase_if(deliveries, [](const Delivery& delivery) { return delivery.items.empty(); });
}

ListedDelivery listed_at(const Rows& rows, int row) {
  ListedDelivery listed;
  listed.id = rows.text(row, 0);
  listed.channel = rows.text(row, 1);
  listed.organization_id = OrganizationId(rows.text(row, 2));
  listed.system_id = maybe_system_id(rows, row, 3);
  listed.state = alerts::parse_delivery_state(rows.view(row, 4)).value_or(DeliveryState::pending);
  listed.attempts = static_cast<int>(rows.int64(row, 5));
  listed.error = rows.text(row, 6);
  listed.created_at = rows.time(row, 7);
  listed.next_attempt_at = rows.maybe_time(row, 8);
  listed.sent_at = rows.maybe_time(row, 9);
  listed.notifications = static_cast<std::size_t>(rows.int64(row, 10));
  return listed;
}

}  // namespace

Result<std::size_t> NotificationStore::plan(std::string_view channel, Time recent_since, std::size_t limit,
                                            Time now, const alerts::PlanDeliveries& plan) {
  return pool_.write([&](Transaction& transaction, const Schema&) -> std::size_t {
    const auto state = lock_and_read(transaction, channel, recent_since, limit);
    if (state.waiting.empty()) return 0;
    const auto planned = plan(state);
    if (planned.empty()) return 0;
    add_deliveries(transaction, channel, planned, now);
    put_in(transaction, planned);
    return planned.size();
  });
}

Result<std::vector<Delivery>> NotificationStore::claim(std::string_view channel, Time now, Time until,
                                                       std::size_t limit) {
  return pool_.write([&](Transaction& transaction, const Schema& schema) {
    auto deliveries = claim_due(transaction, channel, now, until, limit);
    if (deliveries.empty()) return deliveries;
    read_items(transaction, schema, deliveries);
    drop_empty(transaction, deliveries);
    return deliveries;
  });
}

Result<void> NotificationStore::finish(std::string_view delivery_id, const Attempted& attempted, Time now) {
  return pool_.write([&](Transaction& transaction, const Schema&) {
    if (attempted.state == DeliveryState::sent) {
      transaction.add(
          "UPDATE alert_deliveries SET state = 'sent', sent_at = $2, next_attempt_at = NULL, "
          "claimed_until = NULL WHERE id = $1 AND state = 'pending'",
          Params::of(delivery_id, now));
      return;
    }
    const bool again = attempted.state == DeliveryState::pending;
    transaction.add(
        "UPDATE alert_deliveries SET state = $2, attempts = attempts + 1, error = $3, next_attempt_at = $4, "
        "claimed_until = NULL WHERE id = $1 AND state = 'pending'",
        Params::of(delivery_id, alerts::to_string(attempted.state), attempted.error,
                   again ? std::optional(attempted.next) : std::nullopt));
  });
}

Result<std::vector<ListedDelivery>> NotificationStore::list(std::optional<DeliveryState> state,
                                                            std::size_t limit) {
  return pool_.write(
      [&](Transaction& transaction, const Schema&) {
        auto params = Params::of(limit);
        if (state) params.add(alerts::to_string(*state));
        const auto rows = transaction.run(
            fmt::format("SELECT d.id, d.channel, d.organization_id, d.system_id, d.state, d.attempts, "
                        "d.error, d.created_at, d.next_attempt_at, d.sent_at, "
                        "(SELECT count(*) FROM alert_notifications n WHERE n.delivery_id = d.id) "
                        "FROM alert_deliveries d {} ORDER BY d.created_at DESC, d.id DESC LIMIT $1",
                        state ? "WHERE d.state = $2" : ""),
            std::move(params));
        std::vector<ListedDelivery> found;
        for (int row = 0; row < rows.count(); ++row) found.push_back(listed_at(rows, row));
        return found;
      },
      Plan::scan);
}

Result<std::size_t> NotificationStore::retry(std::optional<std::string> delivery_id, Time now) {
  return pool_.write([&](Transaction& transaction, const Schema& schema) -> std::size_t {
    if (delivery_id && !schema.can_hold("alert_deliveries.id", *delivery_id)) return 0;
    auto params = Params::of(now);
    if (delivery_id) params.add(*delivery_id);
    const auto rows = transaction.run(
        fmt::format("UPDATE alert_deliveries SET state = 'pending', attempts = 0, next_attempt_at = $1, "
                    "claimed_until = NULL WHERE state <> 'sent' AND state = 'dead'{}",
                    delivery_id ? " AND id = $2" : ""),
        std::move(params));
    return static_cast<std::size_t>(rows.affected());
  });
}

Result<std::vector<ChannelDepth>> NotificationStore::depths() {
  return pool_.read([&](Connection& connection, const Schema&) {
    const auto rows = connection.run(
        "SELECT channel, sum(waiting)::bigint, sum(pending)::bigint, sum(dead)::bigint FROM ("
        "SELECT channel, count(*) AS waiting, 0 AS pending, 0 AS dead FROM alert_notifications "
        "WHERE delivery_id IS NULL GROUP BY channel UNION ALL "
        "SELECT channel, 0, count(*) FILTER (WHERE state = 'pending'), count(*) FILTER (WHERE state = "
        "'dead') "
        "FROM alert_deliveries WHERE state <> 'sent' GROUP BY channel) AS d GROUP BY channel ORDER BY "
        "channel");
    std::vector<ChannelDepth> depths;
    const auto number = [&](int row, int column) {
      return static_cast<std::uint64_t>(rows.int64(row, column));
    };
    for (int row = 0; row < rows.count(); ++row) {
      depths.push_back({rows.text(row, 0), number(row, 1), number(row, 2), number(row, 3)});
    }
    return depths;
  });
}

}  // namespace collect::postgres
