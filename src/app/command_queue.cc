// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <optional>

#include "app/commands.h"
#include "app/terminal.h"
#include "base/json.h"
#include "queue/monitor.h"

namespace collect::app {
namespace {

using queue::Part;
using queue::Stage;

constexpr std::size_t kErrorWidth = 90;
constexpr std::size_t kEveryLetter = 1'000'000;

Stage stage_of(const QueueArguments& arguments) {
  for (const Stage stage : queue::kStages) {
    if (to_string(stage) == arguments.stage) return stage;
  }
  return Stage::inventory;
}

// A text as it lies in the queue, and what can be read of it.
struct Letter {
  std::string text;
  std::optional<queue::Message> message;
};

Letter letter_of(std::string text) {
  auto message = queue::decode(text, 1);
  if (!message) return {std::move(text), std::nullopt};
  return {std::move(text), *std::move(message)};
}

Result<std::vector<Letter>> letters(queue::Queue& queue, Stage stage, Part part, std::size_t limit) {
  auto texts = queue.peek(stage, part, limit);
  if (!texts) return texts.failure();
  std::vector<Letter> out;
  for (std::string& text : *texts) out.push_back(letter_of(std::move(text)));
  return out;
}

std::string letters_json(const std::vector<Letter>& all) {
  json::Writer writer;
  writer.begin_array();
  for (const Letter& letter : all) {
    if (!letter.message) {
      writer.begin_object().member("id", nullptr).member("text", letter.text).end_object();
      continue;
    }
    const queue::Message& message = *letter.message;
    writer.begin_object().member("id", message.id.text()).member("type", to_string(message.type));
    writer.member("system_id", message.system_id.text()).member("attempts", message.attempts);
    writer.member("max_attempts", message.max_attempts).member("created_at", to_rfc3339(message.created_at));
    writer.member("error", message.error).member("bytes", static_cast<std::uint64_t>(letter.text.size()));
    writer.key("data").raw(message.data).end_object();
  }
  writer.end_array();
  return std::move(writer).text();
}

std::string letters_text(const std::vector<Letter>& all) {
  if (all.empty()) return "Nothing there.\n";
  std::string out;
  for (const Letter& letter : all) {
    if (!letter.message) {
      out += fmt::format("not a message, {} bytes: {}\n", letter.text.size(),
                         shortened(json::quote(letter.text), kErrorWidth));
      continue;
    }
    const queue::Message& message = *letter.message;
    out += fmt::format("{}  {}  system {}  {} bytes  attempts {}\n", message.id.text(),
                       to_rfc3339(message.created_at).substr(0, 19), message.system_id.text(),
                       letter.text.size(), message.attempts);
    std::string_view errors = message.error ? std::string_view(*message.error) : std::string_view();
    while (!errors.empty()) {
      const std::size_t end = std::min(errors.find('\n'), errors.size());
      out += fmt::format("    {}\n", errors.substr(0, end));
      errors.remove_prefix(std::min(end + 1, errors.size()));
    }
  }
  return out;
}

// The dead letters that the arguments mean. `not_found` when a given id is not among them.
Result<std::vector<Letter>> chosen(queue::Queue& queue, const QueueArguments& arguments) {
  if (arguments.id.empty() && !arguments.all) return invalid("expected the id of a dead letter, or --all");
  auto dead = letters(queue, stage_of(arguments), Part::dead, kEveryLetter);
  if (!dead || arguments.all) return dead;
  std::erase_if(*dead, [&](const Letter& letter) {
    return !letter.message || letter.message->id.text() != arguments.id;
  });
  if (dead->empty()) {
    return not_found(
        fmt::format("there is no dead letter {} in the {} stage", arguments.id, arguments.stage));
  }
  return dead;
}

// How many left the dead letters.
Result<std::size_t> take_all(queue::Queue& queue, Stage stage, const std::vector<Letter>& dead, bool retry) {
  std::size_t taken = 0;
  for (const Letter& letter : dead) {
    const std::string again = retry ? queue::revived(letter.text) : "";
    const auto left =
        queue.take_dead(stage, letter.text, retry ? std::optional<std::string_view>(again) : std::nullopt);
    if (!left) return left.failure();
    if (*left) ++taken;
  }
  return taken;
}

std::string dead_letters(std::size_t count) {
  return count == 1 ? "1 dead letter" : fmt::format("{} dead letters", count);
}

bool confirmed(std::size_t letters) {
  if (isatty(STDIN_FILENO) == 0) return false;
  fmt::print("Delete {} for good? Type yes: ", dead_letters(letters));
  std::fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "yes";
}

}  // namespace

Exit show_queues(const QueueArguments& arguments) {
  auto opened = open_stores(backend::Use::queue);
  if (!opened) return fail(opened.failure());
  Table table({"stage", "ready", "claimed", "delayed", "dead", "oldest", "health"});
  json::Writer writer;
  writer.begin_array();
  for (const Stage stage : queue::kStages) {
    const auto depth = opened->engine->queue().depth(stage);
    if (!depth) return fail(depth.failure());
    const auto health = queue::to_string(queue::health_of(*depth));
    std::optional<std::int64_t> age;
    if (depth->oldest_ready) {
      const auto waited = opened->clock->now() - *depth->oldest_ready;
      age = std::chrono::duration_cast<std::chrono::seconds>(waited).count();
    }
    table.add({{std::string(to_string(stage))},
               {std::to_string(depth->ready)},
               {std::to_string(depth->claimed)},
               {std::to_string(depth->delayed)},
               {std::to_string(depth->dead), depth->dead > 0 ? Colour::red : Colour::none},
               {age ? fmt::format("{} s", *age) : ""},
               {std::string(health)}});
    writer.begin_object().member("stage", to_string(stage)).member("ready", depth->ready);
    writer.member("claimed", depth->claimed).member("delayed", depth->delayed).member("dead", depth->dead);
    writer.key("oldest_seconds");
    age ? writer.value(*age) : writer.value(nullptr);
    writer.member("health", health).end_object();
  }
  writer.end_array();
  fmt::print("{}", arguments.json ? writer.text() + "\n" : table.text());
  return Exit::ok;
}

Exit peek_queue(const QueueArguments& arguments) {
  auto opened = open_stores(backend::Use::queue);
  if (!opened) return fail(opened.failure());
  const Part part = arguments.part == "ready"     ? Part::ready
                    : arguments.part == "delayed" ? Part::delayed
                                                  : Part::dead;
  const auto all = letters(opened->engine->queue(), stage_of(arguments), part, arguments.limit);
  if (!all) return fail(all.failure());
  fmt::print("{}", arguments.json ? letters_json(*all) + "\n" : letters_text(*all));
  return Exit::ok;
}

Exit retry_dead(const QueueArguments& arguments) {
  auto opened = open_stores(backend::Use::queue);
  if (!opened) return fail(opened.failure());
  const auto dead = chosen(opened->engine->queue(), arguments);
  if (!dead) return fail(dead.failure());
  const auto taken = take_all(opened->engine->queue(), stage_of(arguments), *dead, true);
  if (!taken) return fail(taken.failure());
  if (arguments.json) {
    fmt::print("{{\"retried\":{}}}\n", *taken);
  } else {
    fmt::print("In line again: {}.\n", dead_letters(*taken));
  }
  return Exit::ok;
}

Exit purge_dead(const QueueArguments& arguments) {
  auto opened = open_stores(backend::Use::queue);
  if (!opened) return fail(opened.failure());
  const auto dead = chosen(opened->engine->queue(), arguments);
  if (!dead) return fail(dead.failure());
  if (!dead->empty() && !arguments.yes && !confirmed(dead->size())) {
    return fail(conflict(fmt::format("nothing was deleted ({} meant): --yes deletes without asking",
                                     dead_letters(dead->size()))));
  }
  const auto taken = take_all(opened->engine->queue(), stage_of(arguments), *dead, false);
  if (!taken) return fail(taken.failure());
  if (arguments.json) {
    fmt::print("{{\"purged\":{}}}\n", *taken);
  } else {
    fmt::print("Deleted: {}.\n", dead_letters(*taken));
  }
  return Exit::ok;
}

}  // namespace collect::app
