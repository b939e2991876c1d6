// SPDX-License-Identifier: Apache-2.0
// A NotificationStore in memory, for tests of what stands above it. Its notifications are numbers whose
// alerts are made up as they are claimed. Safe to use from several threads.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "alerts/delivery_for_test.h"
#include "alerts/notification_store.h"

namespace collect::alerts {

class FakeNotificationStore final : public NotificationStore {
 public:
  struct Row {
    Delivery delivery;
    DeliveryState state = DeliveryState::pending;
    Time next{};
    std::optional<Time> claimed_until;
    std::string error;
  };

  // From now on every call fails with it, until there is none.
  void fail_with(std::optional<Failure> failure) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(failure);
  }
  void fail_finish_with(std::optional<Failure> failure) {
    const std::lock_guard lock(mutex_);
    finish_failure_ = std::move(failure);
  }
  void add_waiting(const std::string& channel, const std::string& system, Time now) {
    const std::lock_guard lock(mutex_);
    waiting_[channel].push_back(
        {NotificationId{++last_id_}, SystemId("id-" + system), OrganizationId("org-1"), false, now});
  }
  void add_delivery(const std::string& channel, const std::string& id, Time now) {
    const std::lock_guard lock(mutex_);
    add(channel, {id, OrganizationId("org-1"), SystemId("id-rl1"), false, {NotificationId{++last_id_}}}, now);
  }
  Row row(const std::string& id) {
    const std::lock_guard lock(mutex_);
    for (const Row& row : rows_) {
      if (row.delivery.id == id) return row;
    }
    return {};
  }
  std::vector<Row> rows() {
    const std::lock_guard lock(mutex_);
    return rows_;
  }
  int plans() {
    const std::lock_guard lock(mutex_);
    return plans_;
  }

  Result<std::size_t> plan(std::string_view channel, Time recent_since, std::size_t limit, Time now,
                           const PlanDeliveries& plan) override {
    const std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    auto& waiting = waiting_[std::string(channel)];
    if (waiting.empty()) return std::size_t{0};
    ++plans_;
    DispatchState state;
    state.waiting.assign(waiting.begin(),
                         waiting.begin() + static_cast<std::ptrdiff_t>(std::min(limit, waiting.size())));
    for (const Row& row : rows_) {
      const Delivery& delivery = row.delivery;
      if (delivery.channel != channel || delivery.created_at < recent_since) continue;
      const auto system = delivery.summary ? std::nullopt : std::optional(delivery.items.front().system.id);
      state.recent.push_back({delivery.organization_id, system, false, delivery.created_at});
    }
    const auto planned = plan(state);
    for (const NewDelivery& delivery : planned) {
      add(std::string(channel), delivery, now);
      for (const auto id : delivery.notifications)
        std::erase_if(waiting, [id](const Waiting& w) { return w.id == id; });
    }
    return planned.size();
  }

  Result<std::vector<Delivery>> claim(std::string_view channel, Time now, Time until,
                                      std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    std::vector<Delivery> claimed;
    for (Row& row : rows_) {
      const bool free = !row.claimed_until || *row.claimed_until <= now;
      if (row.delivery.channel != channel || row.state != DeliveryState::pending || row.next > now || !free)
        continue;
      if (claimed.size() == limit) break;
      row.claimed_until = until;
      claimed.push_back(row.delivery);
    }
    return claimed;
  }

  Result<void> finish(std::string_view delivery_id, const Attempted& attempted, Time) override {
    const std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    if (finish_failure_) return *finish_failure_;
    for (Row& row : rows_) {
      if (row.delivery.id != delivery_id) continue;
      row.state = attempted.state;
      row.next = attempted.next;
      row.error = attempted.error;
      row.claimed_until.reset();
      if (attempted.state != DeliveryState::sent) ++row.delivery.attempts;
    }
    return {};
  }

  Result<std::vector<ListedDelivery>> list(std::optional<DeliveryState>, std::size_t) override {
    return internal("not asked by what is tested");
  }
  Result<std::size_t> retry(std::optional<std::string>, Time) override {
    return internal("not asked by what is tested");
  }
  Result<std::vector<ChannelDepth>> depths() override {
    const std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    std::map<std::string, ChannelDepth> depths;
    for (const auto& [channel, waiting] : waiting_) depths[channel].waiting = waiting.size();
    for (const Row& row : rows_) {
      if (row.state == DeliveryState::pending) ++depths[row.delivery.channel].pending;
    }
    std::vector<ChannelDepth> list;
    for (auto& [channel, depth] : depths) {
      depth.channel = channel;
      list.push_back(depth);
    }
    return list;
  }

 private:
  void add(const std::string& channel, const NewDelivery& planned, Time now) {
    std::vector<DeliveryItem> items;
    for (const auto id : planned.notifications) {
      auto system = test_system("rl1");
      if (planned.system_id) system.id = *planned.system_id;
      items.push_back(test_item(static_cast<int>(id), diff::Severity::low, "m", system));
    }
    Row row;
    row.delivery = test_delivery_of(std::move(items));
    row.delivery.id = planned.id;
    row.delivery.channel = channel;
    row.delivery.summary = !planned.system_id;
    row.delivery.created_at = now;
    row.next = now;
    rows_.push_back(std::move(row));
  }

  std::mutex mutex_;
  // All guarded by mutex_.
  std::optional<Failure> failure_;
  std::optional<Failure> finish_failure_;
  std::map<std::string, std::vector<Waiting>> waiting_;
  std::vector<Row> rows_;
  std::int64_t last_id_ = 0;
  int plans_ = 0;
};

}  // namespace collect::alerts
