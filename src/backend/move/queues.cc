// SPDX-License-Identifier: Apache-2.0
#include "backend/move/queues.h"

#include <fmt/format.h>

namespace collect::backend {
namespace {

constexpr std::size_t kMessages = 500;
constexpr std::size_t kBytes = 8U << 20U;

std::string_view states_of(queue::Part part) {
  if (part == queue::Part::dead) return "state = 'dead'";
  return part == queue::Part::delayed ? "state = 'delayed'" : "state = 'ready'";
}

}  // namespace

std::vector<QueuePart> queue_parts() {
  std::vector<QueuePart> parts;
  for (const auto part : {queue::Part::dead, queue::Part::delayed, queue::Part::ready}) {
    for (const auto stage : queue::kStages) parts.push_back({stage, part});
  }
  return parts;
}

std::string name_of(const QueuePart& part) {
  const char* const word = part.part == queue::Part::dead      ? "dead"
                           : part.part == queue::Part::delayed ? "delayed"
                                                               : "ready";
  return fmt::format("queue_{}_{}", queue::to_string(part.stage), word);
}

std::uint64_t count_messages(sqlite::Snapshot& source, const QueuePart& part) {
  auto row = source.query(
      fmt::format("SELECT count(*) FROM queue_messages WHERE stage = ?1 AND {}", states_of(part.part)),
      queue::to_string(part.stage));
  return row.next() ? static_cast<std::uint64_t>(row.int64(0)) : 0;
}

std::vector<queue::Delayed> read_messages(sqlite::Snapshot& source, const QueuePart& part,
                                          std::uint64_t from) {
  std::vector<queue::Delayed> messages;
  std::size_t bytes = 0;
  auto row = source.query(fmt::format("SELECT position, text FROM queue_messages WHERE stage = ?1 AND {} "
                                      "ORDER BY position, id LIMIT ?2 OFFSET ?3",
                                      states_of(part.part)),
                          queue::to_string(part.stage), kMessages, from);
  while (bytes < kBytes && row.next()) {
    messages.push_back({row.text(1), Time(Duration(row.int64(0)))});
    bytes += messages.back().text.size();
  }
  return messages;
}

}  // namespace collect::backend
