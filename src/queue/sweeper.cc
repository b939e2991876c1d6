// SPDX-License-Identifier: Apache-2.0
#include "queue/sweeper.h"

#include "base/log.h"

namespace collect::queue {
namespace {

constexpr std::chrono::seconds kLostAfter{30};
constexpr std::chrono::minutes kLostAfterWhenBusy{15};
constexpr std::size_t kJobs = 1000;
constexpr std::size_t kJobsWhenBusy = 100;

}  // namespace

Sweeper::Sweeper(Queue& queue, Stage stage, Find find, const Clock& clock)
    : queue_(queue), stage_(stage), find_(std::move(find)), clock_(clock) {}

void Sweeper::sweep() {
  const auto depth = queue_.depth(stage_);
  if (!depth) return;  // the queue monitor tells of that
  const bool busy = depth->ready + depth->claimed + depth->delayed > 0;
  const Time before = clock_.now() - (busy ? Duration(kLostAfterWhenBusy) : Duration(kLostAfter));
  const auto jobs = find_(before, busy ? kJobsWhenBusy : kJobs);
  if (!jobs) {
    log::warn("sweep_failed", {{"stage", to_string(stage_)}, {"reason", jobs.failure().message}});
    return;
  }
  if (jobs->empty()) return;
  std::vector<std::string> texts;
  for (const Onward& job : *jobs) texts.push_back(job.text);
  const auto queued = queue_.enqueue(stage_, texts);
  log::warn("unfinished_work_found",
            {{"stage", to_string(stage_)}, {"jobs", texts.size()}, {"queued", queued.ok()}});
}

}  // namespace collect::queue
