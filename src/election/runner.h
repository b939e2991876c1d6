// SPDX-License-Identifier: Apache-2.0
// Of several processes one runs what must run once: the monitors. Who that is stands in the store; when it
// falls silent for a lease, another begins the next term.
//
// A term is over for its runner one lease after the last renewal was *begun*, and for the others one lease
// after they *saw* the last one, each by its own monotonic clock. So two never think that they are the
// runner, except when a process is stopped between looking and acting. What it writes then is refused (the
// fence of backend/engine.h); what it sends has to end within left().
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "election/term_store.h"

namespace collect::election {

class Runner {
 public:
  using Steady = std::chrono::steady_clock;
  enum class Before { free, silent };
  // This process is the runner from now on: after one that fell silent, or there was none (it had ended its
  // term, or its process was known to be gone). Called from tick().
  using Elected = std::function<void(Before before)>;
  struct Options {
    std::chrono::milliseconds lease{20'000};
    // Whether this runner certainly lives no more. Empty: nobody can tell.
    std::function<bool(std::string_view id)> gone = {};
    std::function<Steady::time_point()> steady = [] { return Steady::now(); };
  };

  // The store outlives it. `id` is no other process's, ever (queue/worker_id.h).
  Runner(TermStore& store, std::string id, Elected elected, Options options);

  // Renews, or looks whether a term is to be begun. Every quarter of the lease, from one thread. What changes
  // is logged, and an outage once until it is over.
  void tick(Time now);
  // Ends the term, if there is one of this process. When nothing runs any more.
  void resign(Time now);

  // Runs it if this process is the runner; false: it is not. While rounds of one term run, this process does
  // not begin another term, so that term() is the round's own or none. Safe from any thread.
  bool run(const std::function<void()>& round);

  // The number of this process's term; nullopt: it is over. Safe from any thread.
  [[nodiscard]] std::optional<std::int64_t> term() const;
  // For how long nobody else begins a term; zero: this process is not the runner. Safe from any thread.
  [[nodiscard]] std::chrono::milliseconds left() const;

  [[nodiscard]] std::uint64_t elected() const { return elected_count_; }

 private:
  Result<void> attempt(Time now);
  Result<void> renew(const Term& mine, Time now);
  Result<void> look(Time now);
  void hold(const Term& term, Steady::time_point since);
  void lose(std::string_view reason);

  TermStore& store_;
  const std::string id_;
  const Elected elected_;
  const Options options_;
  std::shared_mutex rounds_;  // shared by rounds, alone to begin a term
  // Of the thread that ticks.
  std::optional<Term> seen_;
  Steady::time_point seen_at_{};
  bool failing_ = false;
  std::atomic<std::uint64_t> elected_count_{0};
  mutable std::mutex mutex_;
  std::optional<Term> mine_;    // guarded by mutex_
  Steady::time_point until_{};  // guarded by mutex_
};

}  // namespace collect::election
