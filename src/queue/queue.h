// SPDX-License-Identifier: Apache-2.0
// PORT. A durable, ordered queue per stage with delayed and dead letters, shared by any number of workers.
//
// A message text is in exactly one place: ready, one worker's claim, delayed or dead. It leaves only by
// settle(), or as a dead letter by take_dead(). Ready is first in, first out. Texts are opaque here but for
// system_of() (message.h): the messages of one system are never in two workers' claims of a stage at once, so
// that each system's messages are handled in order. claim() stops short of a message whose system is busy in
// another worker's claim, rather than pass it by.
//
// A claim is held under a lease that ends when it is not renewed (a dead or hung worker). Then another
// worker's claim() takes it over ("adopts" it). A late settle() of the former owner does nothing: that is the
// fence.
//
// Failures: `unavailable` when the engine is not there, full or out of memory (the message says which);
// nothing has happened then, but for enqueue() and settle() after a lost reply, which may have happened:
// messages carry ids so that effects stay single. All functions may be called from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "queue/message.h"
#include "queue/worker_id.h"

namespace collect::queue {

struct ClaimLimits {
  std::size_t messages = 100;
  std::size_t bytes = 16U << 20U;  // the first message is always taken, however large
};

struct Claim {
  std::vector<std::string> texts;  // oldest first; empty: nothing to do
  // Taken over from a worker that vanished: one of these may be what killed it. Strike before touching each.
  bool adopted = false;
};

struct Onward {
  Stage stage;
  std::string text;
};

struct Delayed {
  std::string text;
  Time due;
};

// What becomes of the texts of a claim. Those not mentioned are done with.
struct Settlement {
  std::vector<Onward> onward = {};          // to the next stages' queues (never refused for depth)
  std::vector<Delayed> delayed = {};        // to be handled again at `due`
  std::vector<std::string> dead = {};       // dead letters
  std::vector<std::string> give_back = {};  // ready again, first in line, in this order
};

// Where messages wait that no worker has.
enum class Part { ready, delayed, dead };

enum class Settled { done, lease_lost };

struct Depth {
  std::uint64_t ready = 0;
  std::uint64_t claimed = 0;
  std::uint64_t delayed = 0;
  std::uint64_t dead = 0;
  std::optional<Time> oldest_ready;  // created_at of the next message, where it can be read
};

class Queue {
 public:
  virtual ~Queue() = default;

  // All texts or none, durable as the engine promises, in this order. `unavailable` when ready + delayed
  // would exceed the configured maximum depth; calls at the same moment may each exceed it once.
  virtual Result<void> enqueue(Stage stage, std::span<const std::string> texts) = 0;

  // A worker that has an unsettled claim gets that one again; else an expired claim of another worker is
  // adopted; else up to `limits` texts are taken. Starts or renews the lease. Never waits for messages.
  virtual Result<Claim> claim(Stage stage, const WorkerId& worker, ClaimLimits limits) = 0;

  // Extends the lease. False: it was lost, the claim belongs to somebody else; drop what was not committed.
  virtual Result<bool> renew(Stage stage, const WorkerId& worker) = 0;

  // Ends the claim in one step with everything that follows from it.
  virtual Result<Settled> settle(Stage stage, const WorkerId& worker, const Settlement& settlement) = 0;

  // Counts that this text of an adopted claim is about to be handled; returns how often that has happened.
  // `attempt`: anything that no other attempt has; where the answer was lost and it comes again, it counts
  // once. absolve() forgets the count: it did not kill us.
  virtual Result<int> strike(Stage stage, std::string_view text, std::string_view attempt) = 0;
  virtual Result<void> absolve(Stage stage, std::string_view text) = 0;

  // Moves delayed messages that are due (by the engine's clock) to the end of the line, each once however
  // many call this; ends the leases of processes on this machine that are known to be gone. Returns how many
  // messages moved.
  virtual Result<std::uint64_t> upkeep(Stage stage) = 0;

  virtual Result<Depth> depth(Stage stage) = 0;

  // For people: ready and delayed messages as they will come (the next one first), dead letters newest first.
  virtual Result<std::vector<std::string>> peek(Stage stage, Part part, std::size_t limit) = 0;

  // One dead letter of this text leaves; `ready`, where given, joins the end of the line in the same step
  // (never refused for depth). False: there is no such dead letter any more.
  virtual Result<bool> take_dead(Stage stage, std::string_view text,
                                 std::optional<std::string_view> ready) = 0;
};

}  // namespace collect::queue
