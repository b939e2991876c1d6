// SPDX-License-Identifier: Apache-2.0
// The notification stage: the stored changes of a record become alerts by the rules, and notifications that
// wait for their channels.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "alerts/alert_store.h"
#include "alerts/notification_rules.h"
#include "base/clock.h"
#include "queue/consumer.h"

namespace collect::alerts {

// Each number only grows; readable from any thread.
struct AlertCounters {
  std::atomic<std::uint64_t> records{0};   // that had something to tell
  std::atomic<std::uint64_t> changes{0};   // theirs
  std::atomic<std::uint64_t> alerts{0};    // new
  std::atomic<std::uint64_t> resolved{0};  // by the inverse change
};

// Stateless but for the counters: one object serves all threads of the stage.
class AlertWorker final : public queue::Handler {
 public:
  using Rules = std::function<NotificationRules()>;  // those in force
  using Wake = std::function<void()>;                // notifications wait; called by the stage's threads

  // All outlive it.
  AlertWorker(AlertStore& store, Rules rules, const Clock& clock, Wake wake);

  // A system's records one after the other, the earliest first whatever the messages' order, so that what a
  // record's changes say of alerts does not depend on what came in one batch. A system whose changes are
  // refused fails alone.
  Result<std::vector<queue::Outcome>> handle(std::span<const queue::Message> messages,
                                             const queue::StillOurs& still_ours) override;
  Result<std::map<MessageId, queue::Done>> bury(std::span<const queue::Message> dead) override;

  [[nodiscard]] const AlertCounters& counters() const { return counters_; }

 private:
  // The messages about one record; they may have come more than once.
  struct Job {
    SystemId system_id;
    RecordId record_id{};
    std::vector<std::size_t> indexes;  // of the messages
    Time made{};                       // the oldest of them
  };
  Result<void> notify_together(std::span<const Job> jobs, std::vector<queue::Outcome>& outcomes,
                               const queue::StillOurs& still_ours);
  Result<void> notify_in_order(const SystemId& system_id, RecordId record_id, Time made,
                               const queue::StillOurs& still_ours);
  [[nodiscard]] NotifyQuestion question(const SystemId& system_id, const RecordId& record_id, Time made,
                                        bool out_of_order) const;
  Result<std::vector<Notified>> ask(std::span<const NotifyQuestion> questions);

  AlertStore& store_;
  Rules rules_;
  const Clock& clock_;
  Wake wake_;
  AlertCounters counters_;
};

}  // namespace collect::alerts
