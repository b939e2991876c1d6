// SPDX-License-Identifier: Apache-2.0
// The loop of one worker thread: claim a batch, have it handled, settle. It decides what is retried, how long
// to wait, and what is dead; what the messages mean is the Handler's business.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/histogram.h"
#include "base/outage.h"
#include "base/result.h"
#include "queue/backoff.h"
#include "queue/lease_keeper.h"
#include "queue/queue.h"
#include "queue/wake_up.h"

namespace collect::queue {

// Handled, with its effects committed. `onward` is put into the next stages' queues as the message leaves its
// own.
struct Done {
  std::vector<Onward> onward = {};
};
// The message's own fault: counts as an attempt, and is handled again later or dead.
struct Failed {
  std::string reason;
};
using Outcome = std::variant<Done, Failed>;

// False once the batch is no longer this worker's (its lease was lost) or may not go on (the deadline of a
// stop has passed). Cheap. Ask before committing, and roll back when it says no.
using StillOurs = std::function<bool()>;

// What a stage does with its messages. Called by one consumer at a time, each consumer with batches of its
// own. Every message may come again (a crash, a lost reply): effects have to be single by the message's id.
class Handler {
 public:
  virtual ~Handler() = default;

  // One outcome for each message, in their order (oldest first). Failures are about all of them and undo all
  // effects:
  //   unavailable  a fault outside (connection, deadlock, disk full): the same batch comes again, nothing
  //   counts conflict     `still_ours` said no and everything was rolled back others, or an exception: the
  //   messages come again one by one; a single one that does this has Failed
  virtual Result<std::vector<Outcome>> handle(std::span<const Message> messages,
                                              const StillOurs& still_ours) = 0;

  // These are about to become dead letters: record that (receipts). Each has `error` set. Of a text that
  // could not be read, `data` is dead_letter()'s (message.h), and the id may be made up. `unavailable` is
  // tried again, other failures are logged. Gives those whose effects are committed, and what follows from
  // them: who had them ended before it could settle. They are no dead letters.
  virtual Result<std::map<MessageId, Done>> bury(std::span<const Message> dead) = 0;
};

struct ConsumerOptions {
  Stage stage = Stage::inventory;
  ClaimLimits limits = {};
  int max_attempts = 3;                            // of messages that do not say
  Duration retry_delay = std::chrono::seconds(5);  // after the first failed attempt; doubles with each
  Duration stop_grace = std::chrono::seconds(25);  // for the batch in hand when a stop is requested
  // So many messages ready for the next stage make this one pause between batches, up to `longest_pause`:
  // what a stage leaves in memory is then still there when the next one needs it. 0: it never pauses.
  std::size_t most_ahead = 0;
  Duration longest_pause = std::chrono::milliseconds(500);
  Duration poll_least = std::chrono::milliseconds(250);
  Duration poll_most = std::chrono::seconds(1);
  Duration fault_least = std::chrono::milliseconds(100);
  Duration fault_most = std::chrono::seconds(30);
};

// Counts since the start; read from any thread.
struct ConsumerCounters {
  std::atomic<std::uint64_t> batches = 0;
  std::atomic<std::uint64_t> handled = 0;     // messages done
  std::atomic<std::uint64_t> failed = 0;      // failed attempts
  std::atomic<std::uint64_t> retried = 0;     // of these: put off
  std::atomic<std::uint64_t> dead = 0;        // dead letters, also of texts that cannot be read
  std::atomic<std::uint64_t> faults = 0;      // `unavailable` from queue or handler
  std::atomic<std::uint64_t> lease_lost = 0;  // batches dropped
  std::atomic<std::uint64_t> given_back = 0;  // messages not handled before a stop
  std::atomic<std::uint64_t> busy_microseconds = 0;
  Histogram batch_time = {};    // of batches, from the claim to the settling
  Histogram message_time = {};  // of messages done, from when they were made, tries and all
};

class Consumer {
 public:
  Consumer(Queue& queue, Handler& handler, LeaseKeeper& leases, WakeUp& wake_up, const Clock& clock,
           WorkerId worker, ConsumerOptions options);
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  // Works until a stop is requested; then finishes the batch in hand, or gives back what it could not handle
  // within the grace, and returns. One thread.
  void run(const std::stop_token& stop);

  [[nodiscard]] const ConsumerCounters& counters() const { return counters_; }

 private:
  class Batch;

  void step(const std::stop_token& stop);
  void let_next_stage_catch_up(const std::stop_token& stop);
  void wait(Duration time, const std::stop_token& stop);
  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const;  // once a stop was requested
  void note_fault(std::string_view doing, const Failure& failure);
  void note_recovery();

  Queue& queue_;
  Handler& handler_;
  LeaseKeeper& leases_;
  WakeUp& wake_up_;
  const Clock& clock_;
  const WorkerId worker_;
  const ConsumerOptions options_;
  ConsumerCounters counters_;
  bool had_work_ = false;
  Backoff idle_;
  Backoff fault_;
  Outage outage_;
  std::atomic<std::chrono::steady_clock::rep> deadline_ =
      std::chrono::steady_clock::time_point::max().time_since_epoch().count();
  std::mutex pause_mutex_;
  std::condition_variable_any pause_;
};

}  // namespace collect::queue
