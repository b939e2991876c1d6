// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "app/commands.h"
#include "app/demo_check.h"
#include "app/demo_fleet.h"
#include "app/demo_instance.h"
#include "app/demo_screen.h"
#include "app/history_view.h"
#include "app/terminal.h"
#include "base/json.h"

namespace collect::app {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kRefresh = 250ms;
constexpr auto kGiveUp = 60s;  // without any progress
constexpr std::uint64_t kFirstSeed = 100;
constexpr std::size_t kTimelineLines = 20;
constexpr std::size_t kComplaints = 10;

// Ctrl-C ends the demo early instead of leaving its folder behind.
class Interruption {
 public:
  Interruption() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }
  // True: somebody wants it to end. Waits at most that long for it.
  bool within(std::chrono::nanoseconds time) {
    const timespec wait{time / 1s, static_cast<long>((time % 1s).count())};
    return sigtimedwait(&signals_, nullptr, &wait) > 0;
  }

 private:
  sigset_t signals_{};
};

struct Outcome {
  Story story;
  Seen seen;
  Check check;
};

struct Totals {
  std::uint64_t reports = 0, records = 0, compared = 0, events = 0, events_found = 0, changes = 0,
                changes_expected = 0;
  std::vector<std::string> missing, unexpected;  // with the system's name
};

Totals total(const std::vector<Outcome>& outcomes) {
  Totals all;
  for (const auto& [story, seen, check] : outcomes) {
    all.reports += story.reports;
    all.records += seen.records;
    all.compared += seen.compared;
    all.events += story.events.size();
    all.events_found += check.events_found;
    all.changes += seen.diffs.size();
    all.changes_expected += check.changes_expected;
    for (const auto& words : check.missing) all.missing.push_back(story.system.name + ": " + words);
    for (const auto& words : check.unexpected) all.unexpected.push_back(story.system.name + ": " + words);
  }
  return all;
}

class Demo {
 public:
  Demo(const DemoArguments& arguments, DemoFolder& folder, DemoInstance& instance, Interruption& interruption)
      : arguments_(arguments),
        folder_(folder),
        instance_(instance),
        interruption_(interruption),
        screen_(arguments.json) {}

  Result<bool> run(Time now);

 private:
  Result<std::vector<Outcome>> look(const DemoFleet& fleet);
  Result<void> watch(const DemoFleet& fleet);
  Result<void> wait(const DemoFleet& fleet);
  DemoState state(const DemoFleet& fleet) const;
  [[nodiscard]] std::string timeline(const std::vector<Outcome>& outcomes);
  void tell(const std::vector<Outcome>& outcomes, const Totals& totals);
  void tell_json(const FleetProgress& progress, const Totals& totals) const;
  void say(const std::string& text) const {
    if (arguments_.json) return;
    fmt::print("{}", text);
    std::fflush(stdout);
  }

  const DemoArguments& arguments_;
  DemoFolder& folder_;
  DemoInstance& instance_;
  Interruption& interruption_;
  DemoScreen screen_;
  steady_clock::time_point start_ = steady_clock::now();
  Totals latest_;  // as last looked at
  std::chrono::milliseconds rest_{};
  bool ended_early_ = false;
};

Result<std::vector<Outcome>> Demo::look(const DemoFleet& fleet) {
  std::vector<Outcome> outcomes;
  for (auto& story : fleet.stories()) {
    auto seen = look_at(instance_.history(), story.system.id);
    if (!seen) return seen.failure();
    auto result = check(story.events, seen->diffs);
    outcomes.push_back({std::move(story), std::move(*seen), std::move(result)});
  }
  latest_ = total(outcomes);
  return outcomes;
}

DemoState Demo::state(const DemoFleet& fleet) const {
  const auto progress = fleet.progress();
  const std::chrono::milliseconds all = std::chrono::seconds(arguments_.seconds);
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - start_);
  return {.passed = std::min(passed, all),
          .all = all,
          .accepted = progress.reports,
          .stored = latest_.records,
          .compared = latest_.compared,
          .heartbeats = progress.heartbeats,
          .events = progress.events,
          .changes = latest_.changes,
          .latest = progress.latest};
}

Result<void> Demo::watch(const DemoFleet& fleet) {
  const auto end = start_ + std::chrono::seconds(arguments_.seconds);
  auto next_look = start_;
  while (steady_clock::now() < end && !fleet.progress().failure) {
    if (interruption_.within(std::min<steady_clock::duration>(kRefresh, end - steady_clock::now()))) {
      ended_early_ = true;
      break;
    }
    if (steady_clock::now() >= next_look) {
      const auto began = steady_clock::now();
      if (auto looked = look(fleet); !looked) return looked.failure();
      // A large fleet takes long to look at: mostly leave the machine to those who work.
      next_look = steady_clock::now() +
                  std::max<steady_clock::duration>(kRefresh, 10 * (steady_clock::now() - began));
    }
    screen_.show(state(fleet));
  }
  return {};
}

// Until everything that was accepted is stored and compared.
Result<void> Demo::wait(const DemoFleet& fleet) {
  const auto began = steady_clock::now();
  auto last_progress = began;
  for (std::uint64_t before = 0;;) {
    if (auto looked = look(fleet); !looked) return looked.failure();
    if (latest_.compared >= latest_.reports) break;
    if (latest_.compared + latest_.records != before) last_progress = steady_clock::now();
    before = latest_.compared + latest_.records;
    if (steady_clock::now() - last_progress > kGiveUp) {
      return unavailable(
          fmt::format("nothing moved for {} s: of {} accepted reports {} are stored and {} compared",
                      kGiveUp.count(), latest_.reports, latest_.records, latest_.compared));
    }
    if (interruption_.within(50ms)) return unavailable("interrupted before everything was worked off");
  }
  rest_ = std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - began);
  return {};
}

std::string Demo::timeline(const std::vector<Outcome>& outcomes) {
  const auto most = std::max_element(
      outcomes.begin(), outcomes.end(),
      [](const Outcome& a, const Outcome& b) { return a.seen.diffs.size() < b.seen.diffs.size(); });
  const auto system = instance_.registry().show(most->story.system.credentials.system_key);
  if (!system || most->seen.diffs.empty()) return "";
  std::span<const inventory::Diff> diffs(most->seen.diffs);
  return fmt::format("\nOne of them, its latest changes as `collect inventory timeline` shows them:\n\n{}",
                     timeline_text(*system, diffs.first(std::min(diffs.size(), kTimelineLines))));
}

std::string listed(const std::string& heading, const std::vector<std::string>& lines) {
  if (lines.empty()) return "";
  auto text = coloured(heading, Colour::red) + "\n";
  for (std::size_t i = 0; i < std::min(lines.size(), kComplaints); ++i) text += "  " + lines[i] + "\n";
  if (lines.size() > kComplaints) text += fmt::format("  … and {} more\n", lines.size() - kComplaints);
  return text;
}

void Demo::tell(const std::vector<Outcome>& outcomes, const Totals& totals) {
  const auto after =
      rest_ < 50ms ? std::string("at once") : fmt::format("{} ms after the last one", rest_.count());
  say(fmt::format("\n{}All {} reports are stored and compared, {}.\n", ended_early_ ? "Ended early. " : "",
                  totals.compared, after));
  say(timeline(outcomes));
  if (totals.missing.empty() && totals.unexpected.empty()) {
    say(coloured(fmt::format("\n✓ {} events changed {} things. All of them were found, and nothing else.\n",
                             totals.events, totals.changes_expected),
                 Colour::green));
  } else {
    say(fmt::format("\n{} of {} events were found, {} of {} changes.\n", totals.events_found, totals.events,
                    totals.changes_expected - totals.missing.size(), totals.changes_expected));
    say(listed("Not found:", totals.missing));
    say(listed("Found, though nothing of that happened:", totals.unexpected));
  }
}

void Demo::tell_json(const FleetProgress& progress, const Totals& totals) const {
  json::Writer writer;
  writer.begin_object().member("systems", static_cast<std::uint64_t>(arguments_.systems));
  writer.member("reports_accepted", totals.reports).member("records_stored", totals.records);
  writer.member("records_compared", totals.compared).member("heartbeats", progress.heartbeats);
  writer.member("asked_to_wait", progress.asked_to_wait).member("events", totals.events);
  writer.member("events_found", totals.events_found).member("changes_expected", totals.changes_expected);
  writer.member("changes_found", totals.changes).member("milliseconds_after_last_report", rest_.count());
  writer.key("missing").begin_array();
  for (const auto& words : totals.missing) writer.value(words);
  writer.end_array().key("unexpected").begin_array();
  for (const auto& words : totals.unexpected) writer.value(words);
  writer.end_array();
  writer.member("folder", folder_.kept() ? std::optional(folder_.path().string()) : std::nullopt)
      .end_object();
  fmt::print("{}\n", writer.text());
}

// True: everything was found, and nothing else.
Result<bool> Demo::run(Time now) {
  auto systems = enlist(instance_.registry(), "Demo cooperative", arguments_.systems, kFirstSeed, now);
  if (!systems) return systems.failure();
  say(fmt::format("{} simulated systems report to {} for {} s (Ctrl-C ends it early).\n\n",
                  arguments_.systems, instance_.url(), arguments_.seconds));
  start_ = steady_clock::now();
  DemoFleet fleet(instance_.url(), std::move(*systems));
  if (auto watched = watch(fleet); !watched) return watched.failure();
  fleet.stop();
  if (auto failure = fleet.progress().failure) return *failure;
  if (auto waited = wait(fleet); !waited) return waited.failure();
  screen_.finish(state(fleet));
  const auto outcomes = look(fleet);
  if (!outcomes) return outcomes.failure();
  const bool found = latest_.missing.empty() && latest_.unexpected.empty();
  if (!found) folder_.keep();
  arguments_.json ? tell_json(fleet.progress(), latest_) : tell(*outcomes, latest_);
  return found;
}

void say_what_next(const DemoFolder& folder) {
  fmt::print("\nNext\n");
  if (folder.kept()) {
    fmt::print(
        "  ENV_FILE={0} collect system list\n      the demo's systems; with their keys `collect inventory "
        "timeline|history|latest|diffs`\n  rm -r {1}\n      when you are done with it\n",
        folder.settings_file().string(), folder.path().string());
  } else {
    fmt::print("  collect demo --keep\n      the same, and keeps what was stored, to look around in it\n");
  }
  fmt::print(
      "  collect diff old.json new.json\n      what the rules make of two inventories of yours\n"
      "  make run\n      an instance that stays, with a first system to report to it\n");
}

}  // namespace

Exit run_demo(const DemoArguments& arguments) {
  Interruption interruption;
  auto folder = DemoFolder::make();
  if (!folder) return fail(folder.failure());
  if (arguments.keep) (*folder)->keep();
  Result<bool> found = false;
  {
    const QuietErrors quiet((*folder)->log_file());
    auto instance = DemoInstance::start(**folder);
    if (instance) {
      found = Demo(arguments, **folder, **instance, interruption).run(SystemClock().now());
      (*instance)->stop();
    } else {
      found = instance.failure();
    }
  }
  if (!found || !*found) {
    (*folder)->keep();
    const auto log = (*folder)->log_file().string();
    if (!found) fmt::print(stderr, "collect: {}\n", found.failure().message);
    fmt::print(stderr, "collect: what the service logged is in {}\n", log);
    return found ? Exit::internal : exit_of(found.failure().kind);
  }
  if (!arguments.json) say_what_next(**folder);
  return Exit::ok;
}

}  // namespace collect::app
