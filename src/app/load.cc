// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "app/commands.h"
#include "app/load_run.h"
#include "base/json.h"
#include "systems/system_registry.h"

namespace collect::app {
namespace {

using Seconds = std::chrono::duration<double>;

// ---------------------------------------------------------------- what it costs

// User and system time so far; nullopt: there is no such process.
std::optional<Seconds> cpu_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto name_end = text.rfind(')');  // the name may hold blanks
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(name_end + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;  // state to cmajflt, see proc(5)
  double user = 0, system = 0;
  fields >> user >> system;
  return Seconds((user + system) / static_cast<double>(sysconf(_SC_CLK_TCK)));
}

// A line of /proc/<pid>/status in MB: VmRSS, VmHWM.
double memory_of(pid_t pid, std::string_view line_name) {
  std::ifstream file(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(line_name)) return std::strtod(line.c_str() + line_name.size() + 1, nullptr) / 1024;
  }
  return 0;
}

Seconds own_cpu() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return Seconds(seconds(usage.ru_utime) + seconds(usage.ru_stime));
}

// ---------------------------------------------------------------- what it found

struct Figures {
  PostingResult posted;
  Processed processed;
  Seconds client_cpu{};
  std::optional<Seconds> server_cpu;
  double server_rss_mb = 0, server_peak_mb = 0;

  [[nodiscard]] double posting_seconds() const { return Seconds(posted.ended - posted.began).count(); }
  [[nodiscard]] double whole_seconds() const { return Seconds(processed.ended - posted.began).count(); }
  [[nodiscard]] double accepted_per_second() const {
    return static_cast<double>(posted.accepted) / posting_seconds();
  }
  [[nodiscard]] double processed_per_second() const {
    return static_cast<double>(processed.compared - std::min(processed.compared, posted.warmed_up)) /
           whole_seconds();
  }
  [[nodiscard]] double each(Seconds cpu) const {  // µs
    return posted.accepted == 0 ? 0 : cpu.count() * 1e6 / static_cast<double>(posted.accepted);
  }
  [[nodiscard]] std::uint64_t changes_expected() const {
    std::uint64_t sum = 0;
    for (const auto& system : posted.systems) sum += system.changes;
    return sum;
  }
  [[nodiscard]] std::uint64_t heard_of() const {
    return static_cast<std::uint64_t>(
        std::count_if(posted.systems.begin(), posted.systems.end(),
                      [](const Posted& system) { return system.accepted > 0; }));
  }
  [[nodiscard]] bool complete(const LoadPlan& plan) const {
    if (plan.heartbeats) return posted.failed == 0 && processed.compared == heard_of();
    return posted.failed == 0 && processed.dead == 0 &&
           processed.compared == posted.accepted + posted.warmed_up &&
           processed.changes == changes_expected();
  }
};

double ms(std::chrono::microseconds time) {
  return static_cast<double>(time.count()) / 1000;
}

void tell(const Figures& f, const LoadPlan& plan) {
  const auto& p = f.posted;
  fmt::print("  accepted    {} in {:.1f} s: {:.1f}/s, {:.1f} MB/s\n", p.accepted, f.posting_seconds(),
             f.accepted_per_second(), static_cast<double>(p.accepted_bytes) / 1e6 / f.posting_seconds());
  fmt::print("  refused     {} with 429, {} with 503 (each sent again after Retry-After); {} failed\n",
             p.refused_429, p.refused_503, p.failed);
  if (!p.first_failure.empty()) fmt::print("              the first: {}\n", p.first_failure);
  fmt::print(
      "  latency     p50 {:.1f} ms, p90 {:.1f}, p99 {:.1f}, most {:.1f} (from when it was {} to the "
      "answer)\n",
      ms(p.percentile(50)), ms(p.percentile(90)), ms(p.percentile(99)), ms(p.percentile(100)),
      plan.rate ? "due" : "sent");
  if (plan.heartbeats) {
    fmt::print("  written     of {} systems, of {} that were acknowledged one\n", f.processed.compared,
               f.heard_of());
  } else {
    fmt::print(
        "  processed   {} stored, {} compared in {:.1f} s: {:.1f}/s (first post to last one visible)\n",
        f.processed.records, f.processed.compared, f.whole_seconds(), f.processed_per_second());
    fmt::print("  changes     {} found, {} expected\n", f.processed.changes, f.changes_expected());
  }
  if (f.server_cpu) {
    fmt::print(
        "  server      {:.0f} µs CPU for each that was accepted, {:.1f} s in all; RSS {:.0f} MB, at most "
        "{:.0f}\n",
        f.each(*f.server_cpu), f.server_cpu->count(), f.server_rss_mb, f.server_peak_mb);
  }
  fmt::print(
      "  client      {:.0f} µs CPU for each (making and sending it; on one machine this is the server's "
      "loss)\n",
      f.each(f.client_cpu));
  if (!f.complete(plan) && plan.heartbeats) {
    fmt::print("\nNOT COMPLETE: heartbeats failed, or are not written.\n");
  } else if (!f.complete(plan)) {
    fmt::print(
        "\nNOT COMPLETE: expected {} accepted = compared, no failures, no dead letters ({} systems' last "
        "report "
        "is one), and all changes.\n",
        p.accepted + p.warmed_up, f.processed.dead);
  }
}

// In place on a terminal, every five seconds elsewhere.
class Screen {
 public:
  explicit Screen(bool silent) : silent_(silent), terminal_(isatty(STDOUT_FILENO) == 1) {}

  void show(const Progress& now) {
    if (silent_) return;
    if (!terminal_ && now.passed < told_.passed + std::chrono::seconds(5)) return;
    const double seconds = Seconds(now.passed - told_.passed).count();
    fmt::print("{}  {:4.0f} s    {} accepted, {:.0f}/s, {} refused{}", terminal_ ? "\r" : "",
               Seconds(now.passed).count(), now.accepted,
               static_cast<double>(now.accepted - told_.accepted) / seconds, now.refused,
               terminal_ ? "\x1b[K" : "\n");
    std::fflush(stdout);
    told_ = now;
  }
  void finish() const {
    if (!silent_ && terminal_) fmt::print("\r\x1b[K");
  }

 private:
  const bool silent_;
  const bool terminal_;
  Progress told_;
};

void tell_json(const Figures& f, const LoadPlan& plan) {
  const auto& p = f.posted;
  json::Writer w;
  w.begin_object().member("complete", f.complete(plan)).member("accepted", p.accepted);
  w.member("accepted_per_second", f.accepted_per_second()).member("accepted_bytes", p.accepted_bytes);
  w.member("refused_429", p.refused_429).member("refused_503", p.refused_503).member("failed", p.failed);
  w.member("latency_p50_ms", ms(p.percentile(50))).member("latency_p90_ms", ms(p.percentile(90)));
  w.member("latency_p99_ms", ms(p.percentile(99))).member("latency_max_ms", ms(p.percentile(100)));
  w.member("stored", f.processed.records).member("compared", f.processed.compared);
  w.member("processed_per_second", f.processed_per_second()).member("whole_seconds", f.whole_seconds());
  w.member("changes_found", f.processed.changes).member("changes_expected", f.changes_expected());
  w.member("dead", f.processed.dead).member("client_cpu_us_per_accepted", f.each(f.client_cpu));
  if (f.server_cpu) {
    w.member("server_cpu_us_per_accepted", f.each(*f.server_cpu))
        .member("server_cpu_seconds", f.server_cpu->count());
    w.member("server_rss_mb", f.server_rss_mb).member("server_peak_rss_mb", f.server_peak_mb);
  }
  w.end_object();
  fmt::print("{}\n", w.text());
}

// ---------------------------------------------------------------- the command

Result<LoadPlan> plan_of(const LoadArguments& arguments) {
  LoadPlan plan{.url = arguments.url,
                .heartbeats = arguments.heartbeats,
                .rate = std::nullopt,
                .connections = arguments.connections,
                .connection_each = arguments.connection_each,
                .warm_up = arguments.warm_up};
  while (plan.url.ends_with('/')) plan.url.pop_back();
  const auto duration = parse_duration(arguments.duration);
  if (!duration) return invalid("--duration: " + duration.failure().message);
  plan.duration = *duration;
  const auto size = parse_byte_size(arguments.size);
  if (!size) return invalid("--size: " + size.failure().message);
  plan.report_bytes = size->bytes;
  if (arguments.rate == "flat-out") return plan;
  char* end = nullptr;
  const double rate = std::strtod(arguments.rate.c_str(), &end);
  if (end != arguments.rate.c_str() + arguments.rate.size() || !(rate > 0 && rate <= 1e6))
    return invalid(
        fmt::format("--rate: expected posts a second or flat-out, got {}", json::quote(arguments.rate)));
  plan.rate = rate;
  return plan;
}

}  // namespace

Exit run_load(const LoadArguments& arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto plan = plan_of(arguments);
  if (!plan) return fail(plan.failure());
  auto opened = open_stores();
  if (!opened) return fail(opened.failure());
  auto& engine = *opened->engine;
  systems::SystemRegistry registry(engine.stores().systems,
                                   static_cast<std::size_t>(opened->settings.system_secret_min_length),
                                   [&](std::string_view key) { return engine.announce(key); });
  const auto now = opened->clock->now();
  const auto enlisted = enlist(registry, "Load " + to_rfc3339(now), arguments.systems, 1, now);
  if (!enlisted) return fail(enlisted.failure());
  if (!arguments.json) {
    fmt::print(
        "{} systems over {} connections to {}: {}, {}, {}\n", arguments.systems,
        std::min(arguments.connections, arguments.systems), plan->url,
        plan->rate ? arguments.rate + "/s" : "flat out", arguments.duration,
        plan->heartbeats ? "heartbeats" : fmt::format("reports of {}, each with a change", arguments.size));
    std::fflush(stdout);
  }
  Figures figures;
  auto server_before = cpu_of(arguments.server_pid);
  if (arguments.server_pid != 0 && !server_before)
    return fail(not_found(fmt::format("--server-pid: there is no process {}", arguments.server_pid)));
  auto own_before = own_cpu();
  auto stores = engine.stores();
  const auto warm = [&](const PostingResult& until_now) {
    [[maybe_unused]] const auto told_at_the_end = plan->heartbeats
                                                      ? wait_until_written(stores, until_now, now)
                                                      : wait_until_processed(stores, until_now);
    server_before = cpu_of(arguments.server_pid);
    own_before = own_cpu();
  };
  Screen screen(arguments.json);
  figures.posted = post(*plan, *enlisted, warm, [&](const Progress& progress) { screen.show(progress); });
  screen.finish();
  figures.client_cpu = own_cpu() - own_before;
  auto processed = plan->heartbeats ? wait_until_written(stores, figures.posted, now)
                                    : wait_until_processed(stores, figures.posted);
  if (!processed) return fail(processed.failure());
  figures.processed = *processed;
  if (const auto after = cpu_of(arguments.server_pid); server_before && after) {
    figures.server_cpu = *after - *server_before;
    figures.server_rss_mb = memory_of(arguments.server_pid, "VmRSS");
    figures.server_peak_mb = memory_of(arguments.server_pid, "VmHWM");
  }
  arguments.json ? tell_json(figures, *plan) : tell(figures, *plan);
  return figures.complete(*plan) ? Exit::ok : Exit::internal;
}

}  // namespace collect::app
