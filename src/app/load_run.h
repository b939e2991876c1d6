// SPDX-License-Identifier: Apache-2.0
// What `collect load` does: simulated systems that post as fast as asked, inventories in which every one
// changes something or heartbeats, and what came of it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/enlist.h"
#include "backend/stores.h"
#include "base/result.h"

namespace collect::app {

struct LoadPlan {
  std::string url;
  bool heartbeats = false;     // instead of inventories
  std::optional<double> rate;  // posts a second, of all connections together; nullopt: flat out
  std::chrono::milliseconds duration{};
  std::size_t connections = 1;
  bool connection_each = false;  // a new connection for each post
  std::size_t report_bytes = 0;
  bool warm_up = false;  // every system posts once before the clock starts
};

// Meanwhile.
struct Progress {
  std::chrono::milliseconds passed{};
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
};
using ShowProgress = std::function<void(const Progress&)>;
struct PostingResult;

// One system's share.
struct Posted {
  SystemId system_id;
  std::uint64_t accepted = 0;
  std::uint64_t changes = 0;  // that have to be found in what was accepted
  std::string last_answer;    // the body of the last 202
};

struct PostingResult {
  std::vector<Posted> systems;
  std::uint64_t warmed_up = 0;  // accepted before the clock started; in nothing else here but `systems`
  std::uint64_t accepted = 0;
  std::uint64_t accepted_bytes = 0;
  std::uint64_t refused_429 = 0;
  std::uint64_t refused_503 = 0;
  std::uint64_t failed = 0;  // any other status, or no answer
  std::string first_failure;
  // Of what was accepted, sorted: from when it was due (with a rate) or sent (flat out) to the whole answer.
  std::vector<std::chrono::microseconds> latencies;
  std::chrono::steady_clock::time_point began, ended;

  [[nodiscard]] std::chrono::microseconds percentile(double of_hundred) const;
};

// Blocks for the duration. What is refused with 429 or 503 is sent again after Retry-After, as real senders
// do; each refusal is counted. Another failure ends that connection's part. `warm` is called before the clock
// starts, with what was posted until then; `show` every second after that.
using Warm = std::function<void(const PostingResult& until_now)>;
PostingResult post(const LoadPlan& plan, const std::vector<Enlisted>& systems, const Warm& warm,
                   const ShowProgress& show);

struct Processed {
  std::uint64_t records = 0;                    // of these systems
  std::uint64_t compared = 0;                   // of those, whose diffs are computed
  std::uint64_t changes = 0;                    // found in them
  std::uint64_t dead = 0;                       // systems whose last report ended in the dead letters
  std::chrono::steady_clock::time_point ended;  // when the last one was seen to be compared
};

// Waits until the last report of every system is compared, or nothing has moved for a minute, and counts.
Result<Processed> wait_until_processed(backend::Stores& stores, const PostingResult& posted);

// Waits until a heartbeat that came after `began` is written of every system that was acknowledged one; they
// are counted as `compared`.
Result<Processed> wait_until_written(backend::Stores& stores, const PostingResult& posted, Time began);

}  // namespace collect::app
