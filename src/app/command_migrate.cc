// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>

#include "app/commands.h"
#include "backend/move/move.h"
#include "backend/object_stores.h"
#include "backups/copying.h"
#include "base/json.h"

namespace collect::app {
namespace {

// What a call did, as far as it came.
struct Outcome {
  std::vector<std::string> applied;
  std::optional<backend::MoveReport> moved;
  std::optional<backups::Copied> backups;  // none: they stay where they are, or there are none
  std::string backups_place;
  inventory::Conversion conversion;
};

// On standard error, so that standard output is what programs read: one line that changes for people who
// watch, one for each part elsewhere.
class Progress {
 public:
  void tell(const std::string& part, std::uint64_t done, std::uint64_t total) {
    const auto now = std::chrono::steady_clock::now();
    const bool last = done >= total;
    if (!last && (!watched_ || now - told_ < std::chrono::milliseconds(200))) return;
    told_ = now;
    fmt::print(stderr, "{}{:<28} {:>12} of {}{}", watched_ ? "\r" : "", part, done, total, last ? "\n" : "");
    std::fflush(stderr);
  }

 private:
  const bool watched_ = ::isatty(STDERR_FILENO) == 1;
  std::chrono::steady_clock::time_point told_{};
};

// Steps short enough not to hold up a service that runs beside; stopped between two, it goes on the next
// time.
Result<inventory::Conversion> convert_documents(const Settings& settings) {
  constexpr std::size_t kAtOnce = 100;
  const SystemClock clock;
  const auto engine = backend::open(settings, backend::Use::stores, clock);
  if (!engine) return engine.failure();
  inventory::Conversion so_far;
  while (!so_far.done) {
    const auto next = (*engine)->stores().records.convert(so_far, kAtOnce);
    if (!next) return next.failure();
    so_far = *next;
  }
  return so_far;
}

Result<void> copy_backups(const std::filesystem::path& from, const Settings& to, Progress& progress,
                          Outcome& outcome) {
  outcome.backups_place = backend::object_store_name(to);
  std::error_code error;
  if (!std::filesystem::is_directory(from / "backups", error)) return {};
  if (to.s3_endpoint.empty() && std::filesystem::equivalent(from, to.data_dir, error)) return {};
  Settings here = to;
  here.s3_endpoint.clear();
  here.data_dir = from.string();
  const auto source = backend::open_object_store(here);
  if (!source) return source.failure();
  const auto target = backend::open_object_store(to);
  if (!target) return target.failure();
  const auto copied = backups::copy_objects(**source, **target, [&](std::uint64_t done, std::uint64_t total) {
    progress.tell("backups", done, total);
  });
  if (!copied) return Failure{copied.failure().kind, "backups: " + copied.failure().message};
  outcome.backups = *copied;
  return {};
}

Result<void> move_here(const std::string& from, const Settings& settings, Outcome& outcome) {
  if (settings.embedded())
    return invalid(
        "--from moves to PostgreSQL and Redis, and none are named: set DATABASE_URL and REDIS_URL of where "
        "to go");
  const SystemClock clock;
  Progress progress;
  auto moved = backend::move_embedded(
      from, settings, clock,
      [&](const std::string& part, std::uint64_t done, std::uint64_t total) {
        progress.tell(part, done, total);
      },
      [&] { return copy_backups(from, settings, progress, outcome); });
  if (!moved) return moved.failure();
  outcome.moved = *std::move(moved);
  return {};
}

Result<void> carry_out(const MigrateArguments& arguments, const Settings& settings, Outcome& outcome) {
  auto applied = backend::migrate(settings, SystemClock().now());
  if (!applied) return applied.failure();
  outcome.applied = *std::move(applied);
  if (!arguments.from.empty()) {
    if (auto moved = move_here(arguments.from, settings, outcome); !moved) return moved;
  }
  const auto converted = convert_documents(settings);
  if (!converted) return converted.failure();
  outcome.conversion = *converted;
  if (converted->unreadable > 0 && !outcome.moved)
    return internal(fmt::format("{} documents are damaged and were left as they are, the first: {}",
                                converted->unreadable, converted->damage));
  return {};
}

void print_json(const Outcome& outcome) {
  json::Writer w;
  w.begin_object().key("applied").begin_array();
  for (const std::string& name : outcome.applied) w.value(name);
  w.end_array().member("converted_documents", outcome.conversion.converted);
  if (outcome.moved) {
    w.key("moved").begin_object().key("rows").begin_object();
    for (const auto& part : outcome.moved->parts) w.member(part.name, part.rows);
    w.end_object()
        .member("systems", outcome.moved->systems)
        .member("damaged_documents", outcome.moved->damaged);
    w.key("backups").begin_object().member("place", outcome.backups_place);
    w.member("copied", outcome.backups ? outcome.backups->objects : 0).end_object().end_object();
  }
  fmt::print("{}\n", std::move(w.end_object()).text());
}

void print_text(const Outcome& outcome, bool packed) {
  for (const std::string& name : outcome.applied) fmt::print("applied {}\n", name);
  if (outcome.applied.empty() && !outcome.moved) fmt::print("the tables are up to date\n");
  if (outcome.conversion.converted > 0) {
    fmt::print("converted {} documents to the {} form\n", outcome.conversion.converted,
               packed ? "compact" : "plain");
  }
  if (!outcome.moved) return;
  std::uint64_t rows = 0;
  for (const auto& part : outcome.moved->parts) rows += part.rows;
  fmt::print("moved {} rows and messages of {} systems; read again on both sides, they agree\n", rows,
             outcome.moved->systems);
  if (outcome.moved->damaged > 0)
    fmt::print("{} documents were damaged before and are so now\n", outcome.moved->damaged);
  if (outcome.backups) {
    fmt::print("backups: {} are in {}\n", outcome.backups->objects, outcome.backups_place);
  } else {
    fmt::print("backups: none to copy, they are looked for in {}\n", outcome.backups_place);
  }
  fmt::print(
      "The directory is as it was. Start `collect serve` with the new settings; keep it until you trust "
      "them.\n");
}

}  // namespace

Exit migrate(const MigrateArguments& arguments) {
  const auto settings = settings_of_process();
  if (!settings) return fail(settings.failure());
  Outcome outcome;
  const auto done = carry_out(arguments, *settings, outcome);
  if (arguments.json && done) {
    print_json(outcome);
  } else if (done) {
    print_text(outcome, backend::document_form(*settings) == inventory::DocumentForm::packed);
  }
  if (!done) {
    for (const std::string& name : outcome.applied) fmt::print(stderr, "applied {}\n", name);
    return fail(done.failure());
  }
  return Exit::ok;
}

}  // namespace collect::app
