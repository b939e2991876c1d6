// SPDX-License-Identifier: Apache-2.0
#include "backups/pruning.h"

#include <algorithm>

#include "backups/backup.h"

namespace collect::backups {
namespace {

constexpr std::chrono::hours kShortestPatience{36};
constexpr std::chrono::hours kPatienceWithStrangers{8 * 24};
constexpr std::size_t kKnown = 3;

}  // namespace

std::vector<std::string> beyond(const KeepLimits& limits, std::span<const ObjectEntry> stored,
                                std::string_view new_key) {
  std::vector<const ObjectEntry*> others;
  std::uint64_t bytes = 0;
  for (const ObjectEntry& entry : stored) {
    if (entry.key == new_key) {
      bytes = entry.size;
    } else if (id_of_key(entry.key)) {
      others.push_back(&entry);
    }
  }
  std::ranges::sort(others, std::ranges::greater(), &ObjectEntry::key);  // the newest first
  std::size_t kept = 0;
  while (kept < others.size() && kept + 1 < limits.most && bytes + others[kept]->size <= limits.most_bytes) {
    bytes += others[kept++]->size;
  }
  std::vector<std::string> out;
  for (std::size_t i = others.size(); i-- > kept;) out.push_back(others[i]->key);
  return out;
}

Time expected_by(std::span<const ObjectEntry> stored) {
  std::vector<Time> times;
  for (const ObjectEntry& entry : stored) {
    if (const auto id = id_of_key(entry.key)) times.push_back(id->uploaded_at());
  }
  std::ranges::sort(times);
  if (times.empty()) return {};
  if (times.size() < kKnown) return times.back() + kPatienceWithStrangers;
  Duration longest{};
  for (std::size_t i = 1; i < times.size(); ++i) longest = std::max(longest, times[i] - times[i - 1]);
  return times.back() + std::max<Duration>(2 * longest, kShortestPatience);
}

}  // namespace collect::backups
