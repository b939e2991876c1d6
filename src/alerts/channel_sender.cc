// SPDX-License-Identifier: Apache-2.0
#include "alerts/channel_sender.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "alerts/dispatch_plan.h"
#include "base/ids.h"
#include "base/log.h"

namespace collect::alerts {
namespace {

constexpr std::size_t kPlanned = 10'000;  // notifications looked at together
// Between a channel's pause and the next attempt of the delivery that caused it: another one goes first.
constexpr Duration kOthersFirst = std::chrono::seconds(1);
// What is held back by limits is looked at again after this.
constexpr Duration kHeldBack = std::chrono::seconds(2);

// 5 s, 10 s, 20 s … 5 min, by the attempts that failed before.
Duration step_after(int attempts) {
  Duration step = ChannelSender::kLeastPause;
  for (int i = 0; i < attempts && step < ChannelSender::kMostPause; ++i) step *= 2;
  return std::min(step, ChannelSender::kMostPause);
}

}  // namespace

ChannelSender::ChannelSender(std::string name, std::unique_ptr<Channel> channel, SenderOptions options,
                             NotificationStore& store, const Clock& clock, ChannelCounters& counters)
    : name_(std::move(name)),
      channel_(std::move(channel)),
      options_(options),
      store_(store),
      clock_(clock),
      counters_(counters),
      peer_outage_("channel " + name_),
      store_outage_("store of channel " + name_) {}

Duration ChannelSender::work(const std::stop_token& stop) {
  for (;;) {
    // Also when a stop is requested: what was sent is not to be sent again.
    if (auto settled = settle(); !settled) return store_fault(settled.failure());
    if (stop.stop_requested()) return Duration::zero();
    // The wall clock may be set back.
    const Time now = clock_.now();
    paused_until_ = std::min(paused_until_, now + kMostPause);
    if (now < paused_until_) return paused_until_ - now;
    const auto sent = send_next();
    if (!sent) return store_fault(sent.failure());
    if (*sent) continue;
    const auto planned = plan_more();
    if (!planned) return store_fault(planned.failure());
    store_pause_.reset();
    store_outage_.over();
    if (!*planned) return kPoll;
  }
}

// One at a time: what is claimed and not tried would have to wait for the end of its lease.
Result<bool> ChannelSender::send_next() {
  const Time now = clock_.now();
  const auto claimed = store_.claim(name_, now, now + options_.lease, 1);
  if (!claimed) return claimed.failure();
  for (const Delivery& delivery : *claimed) attempt(delivery);
  return !claimed->empty();
}

Result<bool> ChannelSender::plan_more() {
  const Time now = clock_.now();
  no_plan_until_ = std::min(no_plan_until_, now + kMostPause);
  if (now < no_plan_until_) return false;
  bool asked = false;
  const auto planned = store_.plan(name_, now - recent_span(options_.grouping), kPlanned, now,
                                   [&](const DispatchState& state) {
                                     asked = true;
                                     return plan_deliveries(state, options_.grouping, options_.rate_limits,
                                                            now, [now] { return new_uuid_v7(now); });
                                   });
  if (!planned) return planned.failure();
  if (asked && *planned == 0) no_plan_until_ = now + kHeldBack;
  return *planned > 0;
}

Result<void> ChannelSender::settle() {
  if (!unsettled_) return {};
  auto finished = store_.finish(unsettled_->delivery_id, unsettled_->attempted, clock_.now());
  // A delivery that is gone needs no settling. Whatever else went wrong, the same delivery would be sent over
  // and over if this were forgotten.
  const bool gone = !finished && finished.failure().kind == FailureKind::not_found;
  if (!finished && !gone) return finished;
  unsettled_.reset();
  return {};
}

void ChannelSender::attempt(const Delivery& delivery) {
  const auto answer = send(delivery);
  if (answer) {
    ++counters_.sent;
    peer_outage_.over();
    pause_.reset();
    no_plan_until_ = {};
    log::info("notification_sent", {{"channel", name_},
                                    {"delivery_id", delivery.id},
                                    {"organization_id", delivery.organization_id.text()},
                                    {"alerts", delivery.items.size()},
                                    {"answer", *answer}});
    unsettled_ = {delivery.id, Attempted{}};
    return;
  }
  ++counters_.failed;
  const Failure& failure = answer.failure();
  const bool away = failure.kind == FailureKind::unavailable;
  unsettled_ = {delivery.id, away ? later(delivery, failure) : refused(delivery, failure)};
}

Result<std::string> ChannelSender::send(const Delivery& delivery) {
  try {
    return channel_->send(delivery);
  } catch (const std::exception& bug) {
    return internal(bug.what());
  }
}

Attempted ChannelSender::later(const Delivery& delivery, const Failure& failure) {
  peer_outage_.began(failure.message);
  const Time now = clock_.now();
  const Duration pause = pause_.next();
  paused_until_ = now + pause;
  no_plan_until_ = paused_until_ + 2 * kOthersFirst;
  // One that somebody gave another chance has a few of them, however old it is.
  if (now - delivery.created_at >= kGiveUpAfter && delivery.attempts + 1 >= kMostAttempts)
    return given_up(delivery, failure);
  // Half a step is the least that a pause of as many failures may be: alone, a delivery goes when it ends.
  const Duration own = step_after(delivery.attempts) / 2;
  return {DeliveryState::pending, now + std::max(pause, own) + kOthersFirst, failure.message};
}

Attempted ChannelSender::refused(const Delivery& delivery, const Failure& failure) {
  if (delivery.attempts + 1 >= kMostAttempts) return given_up(delivery, failure);
  if (delivery.attempts == 0)
    log::warn("notification_refused",
              {{"channel", name_}, {"delivery_id", delivery.id}, {"error", failure.message}});
  return {DeliveryState::pending, clock_.now() + step_after(delivery.attempts), failure.message};
}

Attempted ChannelSender::given_up(const Delivery& delivery, const Failure& failure) {
  ++counters_.dead;
  log::error("notification_given_up", {{"channel", name_},
                                       {"delivery_id", delivery.id},
                                       {"organization_id", delivery.organization_id.text()},
                                       {"alerts", delivery.items.size()},
                                       {"attempts", delivery.attempts + 1},
                                       {"error", failure.message}});
  return {DeliveryState::dead, {}, failure.message};
}

Duration ChannelSender::store_fault(const Failure& failure) {
  store_outage_.began(failure.message);
  return store_pause_.next();
}

}  // namespace collect::alerts
