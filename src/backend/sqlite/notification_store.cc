// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/notification_store.h"

#include <algorithm>
#include <map>

#include "backend/sqlite/alert_rows.h"
#include "backend/sqlite/system_rows.h"

namespace collect::sqlite {
namespace {

using alerts::Attempted;
using alerts::ChannelDepth;
using alerts::Delivery;
using alerts::DeliveryState;
using alerts::DispatchState;
using alerts::ListedDelivery;
using alerts::NewDelivery;
using alerts::NotificationId;

std::optional<SystemId> system_id_of(const Cursor& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return SystemId(row.text(column));
}

void read_waiting(Snapshot& snapshot, std::string_view channel, std::size_t limit, DispatchState& state) {
  auto row = snapshot.query(
      "SELECT id, system_id, organization_id, critical, created_at FROM ("
      "   SELECT *, row_number() OVER (PARTITION BY organization_id, critical ORDER BY created_at, id) AS "
      "place"
      "   FROM alert_notifications WHERE channel = ? AND delivery_id IS NULL)"
      " WHERE place <= ? ORDER BY created_at, id",
      channel, limit);
  while (row.next()) {
    state.waiting.push_back({NotificationId{row.int64(0)}, SystemId(row.text(1)), OrganizationId(row.text(2)),
                             row.flag(3), row.time(4)});
  }
}

void read_recent(Snapshot& snapshot, std::string_view channel, Time since, DispatchState& state) {
  auto row = snapshot.query(
      "SELECT organization_id, system_id, critical, created_at FROM alert_deliveries"
      " WHERE channel = ? AND created_at >= ? ORDER BY created_at, id",
      channel, since);
  while (row.next())
    state.recent.push_back({OrganizationId(row.text(0)), system_id_of(row, 1), row.flag(2), row.time(3)});
}

void write(Transaction& transaction, std::string_view channel, const NewDelivery& planned, Time now) {
  transaction.run(
      "INSERT INTO alert_deliveries(id, channel, organization_id, system_id, critical, state, created_at,"
      "   next_attempt_at)"
      " VALUES (?1, ?2, ?3, ?4, ?5, 'pending', ?6, ?6)",
      planned.id, channel, planned.organization_id, planned.system_id, planned.critical, now);
  for (const auto id : planned.notifications) {
    if (transaction.run("UPDATE alert_notifications SET delivery_id = ? WHERE id = ? AND delivery_id IS NULL",
                        planned.id, id) == 0)
      throw Fault(internal("a plan put a notification into two deliveries, or one that does not wait"));
  }
}

// `state <> 'sent'` is what the index says.
std::vector<Delivery> due(Snapshot& snapshot, std::string_view channel, Time now, std::size_t limit) {
  auto row = snapshot.query(
      "SELECT id, organization_id, system_id IS NULL, attempts, created_at FROM alert_deliveries"
      " WHERE channel = ?1 AND state <> 'sent' AND state = 'pending' AND next_attempt_at <= ?2"
      "   AND (claimed_until IS NULL OR claimed_until <= ?2) ORDER BY created_at, id LIMIT ?3",
      channel, now, limit);
  std::vector<Delivery> deliveries;
  while (row.next()) {
    deliveries.push_back({row.text(0),
                          std::string(channel),
                          OrganizationId(row.text(1)),
                          row.flag(2),
                          static_cast<int>(row.int64(3)),
                          row.time(4),
                          {}});
  }
  return deliveries;
}

using Systems = std::map<SystemId, systems::System>;

const systems::System& system_with(Snapshot& snapshot, Systems& systems, const SystemId& id) {
  const auto [place, is_new] = systems.try_emplace(id);
  if (is_new) place->second = find_system(snapshot, id).value_or(systems::System{});
  return place->second;
}

void read_items(Snapshot& snapshot, Systems& systems, Delivery& delivery) {
  static const std::string sql = "SELECT " + kAlertColumns +
                                 ", n.news FROM alert_notifications n"
                                 " JOIN inventory_alerts a ON a.id = n.alert_id" +
                                 kDiffOfAlert + " WHERE n.delivery_id = ?";
  auto row = snapshot.query(sql, delivery.id);
  while (row.next()) {
    auto alert = alert_of(row);
    const auto& system = system_with(snapshot, systems, alert.system_id);
    const auto news = alerts::parse_news(row.view(kAlertColumnCount)).value_or(alerts::News::firing);
    delivery.items.push_back({news, std::move(alert), system});
  }
  delivery.items = alerts::in_order(std::move(delivery.items));
}

ListedDelivery listed_of(const Cursor& row) {
  ListedDelivery listed;
  listed.id = row.text(0);
  listed.channel = row.text(1);
  listed.organization_id = OrganizationId(row.text(2));
  listed.system_id = system_id_of(row, 3);
  listed.state = alerts::parse_delivery_state(row.view(4)).value_or(DeliveryState::pending);
  listed.attempts = static_cast<int>(row.int64(5));
  listed.error = row.text(6);
  listed.created_at = row.time(7);
  listed.next_attempt_at = row.maybe_time(8);
  listed.sent_at = row.maybe_time(9);
  listed.notifications = static_cast<std::size_t>(row.int64(10));
  return listed;
}

}  // namespace

// This database's one writer at a time is also one plan at a time.
Result<std::size_t> NotificationStore::plan(std::string_view channel, Time recent_since, std::size_t limit,
                                            Time now, const alerts::PlanDeliveries& plan) {
  return database_.write([&](Transaction& transaction) -> std::size_t {
    DispatchState state;
    read_waiting(transaction, channel, limit, state);
    if (state.waiting.empty()) return 0;
    read_recent(transaction, channel, recent_since, state);
    const auto planned = plan(state);
    for (const auto& one : planned) write(transaction, channel, one, now);
    return planned.size();
  });
}

Result<std::vector<Delivery>> NotificationStore::claim(std::string_view channel, Time now, Time until,
                                                       std::size_t limit) {
  return database_.write([&](Transaction& transaction) {
    auto deliveries = due(transaction, channel, now, limit);
    Systems systems;
    for (auto& delivery : deliveries) {
      read_items(transaction, systems, delivery);
      if (delivery.items.empty()) {
        transaction.run("DELETE FROM alert_deliveries WHERE id = ?", delivery.id);
      } else {
        transaction.run("UPDATE alert_deliveries SET claimed_until = ? WHERE id = ?", until, delivery.id);
      }
    }
    std::erase_if(deliveries, [](const Delivery& one) { return one.items.empty(); });
    return deliveries;
  });
}

Result<void> NotificationStore::finish(std::string_view delivery_id, const Attempted& attempted, Time now) {
  return database_.write([&](Transaction& transaction) {
    if (attempted.state == DeliveryState::sent) {
      transaction.run(
          "UPDATE alert_deliveries SET state = 'sent', sent_at = ?2, next_attempt_at = NULL,"
          "   claimed_until = NULL WHERE id = ?1 AND state = 'pending'",
          delivery_id, now);
      return;
    }
    const bool again = attempted.state == DeliveryState::pending;
    transaction.run(
        "UPDATE alert_deliveries SET state = ?2, attempts = attempts + 1, error = ?3, next_attempt_at = ?4,"
        "   claimed_until = NULL WHERE id = ?1 AND state = 'pending'",
        delivery_id, alerts::to_string(attempted.state), attempted.error,
        again ? std::optional(attempted.next) : std::nullopt);
  });
}

Result<std::vector<ListedDelivery>> NotificationStore::list(std::optional<DeliveryState> state,
                                                            std::size_t limit) {
  return database_.read([&](Snapshot& snapshot) {
    auto row = snapshot.query(
        "SELECT d.id, d.channel, d.organization_id, d.system_id, d.state, d.attempts, d.error, d.created_at,"
        "   d.next_attempt_at, d.sent_at,"
        "   (SELECT count(*) FROM alert_notifications n WHERE n.delivery_id = d.id)"
        " FROM alert_deliveries d WHERE ?1 IS NULL OR d.state = ?1"
        " ORDER BY d.created_at DESC, d.id DESC LIMIT ?2",
        state ? std::optional(alerts::to_string(*state)) : std::nullopt, limit);
    std::vector<ListedDelivery> found;
    while (row.next()) found.push_back(listed_of(row));
    return found;
  });
}

Result<std::size_t> NotificationStore::retry(std::optional<std::string> delivery_id, Time now) {
  return database_.write([&](Transaction& transaction) {
    return static_cast<std::size_t>(
        transaction.run("UPDATE alert_deliveries SET state = 'pending', attempts = 0, next_attempt_at = ?1,"
                        "   claimed_until = NULL"
                        " WHERE state <> 'sent' AND state = 'dead' AND (?2 IS NULL OR id = ?2)",
                        now, delivery_id));
  });
}

Result<std::vector<ChannelDepth>> NotificationStore::depths() {
  return database_.read([&](Snapshot& snapshot) {
    auto row = snapshot.query(
        "SELECT channel, sum(waiting), sum(pending), sum(dead) FROM ("
        "   SELECT channel, count(*) AS waiting, 0 AS pending, 0 AS dead FROM alert_notifications"
        "     WHERE delivery_id IS NULL GROUP BY channel"
        "   UNION ALL SELECT channel, 0, sum(state = 'pending'), sum(state = 'dead') FROM alert_deliveries"
        "     WHERE state <> 'sent' GROUP BY channel)"
        " GROUP BY channel ORDER BY channel");
    std::vector<ChannelDepth> depths;
    const auto number = [&](int column) { return static_cast<std::uint64_t>(row.int64(column)); };
    while (row.next()) depths.push_back({row.text(0), number(1), number(2), number(3)});
    return depths;
  });
}

}  // namespace collect::sqlite
