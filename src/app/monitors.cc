// SPDX-License-Identifier: Apache-2.0
#include "app/monitors.h"

#include <utility>

#include "queue/worker_id.h"

namespace collect::app {

Monitors::Monitors(election::TermStore& terms, const Clock& clock, std::chrono::milliseconds lease)
    : clock_(clock),
      lease_(lease),
      runner_(terms, queue::this_worker("monitors").text,
              [this](election::Runner::Before before) { elected(before); },
              {.lease = lease, .gone = queue::is_gone}) {}

Monitors::~Monitors() {
  stop();
}

void Monitors::add(std::string name, std::chrono::milliseconds interval, std::function<void()> run,
                   First first, std::function<void()> elsewhere) {
  auto& monitor = *monitors_.emplace_back(std::make_unique<Monitor>());
  monitor.name = name;
  monitor.first = first;
  monitor.ticker = std::make_unique<Ticker>(
      std::move(name), interval, [this, &monitor, run = std::move(run), elsewhere = std::move(elsewhere)] {
        const bool here = runner_.run([&] {
          ++monitor.rounds;
          run();
        });
        if (!here && elsewhere) elsewhere();
      });
}

void Monitors::start() {
  candidacy_.emplace("monitors_runner", lease_ / 4, [this] { runner_.tick(clock_.now()); });
  candidacy_->poke();
}

void Monitors::elected(election::Runner::Before before) {
  const bool fell_silent = before == election::Runner::Before::silent;
  for (const auto& monitor : monitors_) {
    if (fell_silent || monitor->first == First::at_once) monitor->ticker->poke();
  }
}

void Monitors::stop() {
  candidacy_.reset();  // first, so that nobody pokes what is gone
  for (const auto& monitor : monitors_) monitor->ticker.reset();
  runner_.resign(clock_.now());
}

std::map<std::string, std::uint64_t> Monitors::rounds() const {
  std::map<std::string, std::uint64_t> rounds;
  for (const auto& monitor : monitors_) rounds.emplace(monitor->name, monitor->rounds);
  return rounds;
}

}  // namespace collect::app
