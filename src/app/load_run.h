// SPDX-License-Identifier: Apache-2.0
// What `collect load` does: simulated systems that post as fast as asked, in which every report changes
// something, and what came of it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/enlist.h"
#include "backend/stores.h"
#include "base/result.h"

namespace collect::app {

struct LoadPlan {
  std::string url;
  std::optional<double> rate;  // reports a second, of all connections together; nullopt: flat out
  std::chrono::milliseconds duration{};
  std::size_t connections = 1;
  std::size_t report_bytes = 0;
};

// One system's share.
struct Posted {
  SystemId system_id;
  std::uint64_t accepted = 0;
  std::uint64_t changes = 0;  // that have to be found in what was accepted
  std::string last_answer;    // the body of the last 202
};

struct PostingResult {
  std::vector<Posted> systems;
  std::uint64_t accepted = 0;
  std::uint64_t accepted_bytes = 0;
  std::uint64_t refused_429 = 0;
  std::uint64_t refused_503 = 0;
  std::uint64_t failed = 0;  // any other status, or no answer
  std::string first_failure;
  // Of accepted reports, sorted: from when they were due (with a rate) or sent (flat out) to the whole 202.
  std::vector<std::chrono::microseconds> latencies;
  std::chrono::steady_clock::time_point began, ended;

  [[nodiscard]] std::chrono::microseconds percentile(double of_hundred) const;
};

// Blocks for the duration. A report that is refused with 429 or 503 is sent again after Retry-After, as real
// senders do; each refusal is counted. Another failure ends that connection's part.
PostingResult post(const LoadPlan& plan, const std::vector<Enlisted>& systems);

struct Processed {
  std::uint64_t records = 0;                    // of these systems
  std::uint64_t compared = 0;                   // of those, whose diffs are computed
  std::uint64_t changes = 0;                    // found in them
  std::uint64_t dead = 0;                       // systems whose last report ended in the dead letters
  std::chrono::steady_clock::time_point ended;  // when the last one was seen to be compared
};

// Waits until the last report of every system is compared, or nothing has moved for a minute, and counts.
Result<Processed> wait_until_processed(backend::Stores& stores, const PostingResult& posted);

}  // namespace collect::app
