// SPDX-License-Identifier: Apache-2.0
#include "systems/verdict_cache.h"

#include <algorithm>
#include <functional>

namespace collect::systems {
namespace {

// What the containers take for one entry beside the system itself: list node, hash node, two tree nodes.
constexpr std::size_t kEntryOverhead = 384;

std::size_t heap_bytes(const std::optional<std::string>& text) {
  return text ? text->capacity() : 0;
}

std::size_t bytes_of(const System& system) {
  const Organization& organization = system.organization;
  return sizeof(System) + system.id.text().capacity() + system.system_key.capacity() +
         system.name.capacity() + heap_bytes(system.type) + heap_bytes(system.fqdn) +
         heap_bytes(system.ipv4_address) + heap_bytes(system.ipv6_address) + heap_bytes(system.version) +
         system.status.capacity() + system.organization_id.text().capacity() +
         organization.row_id.capacity() + organization.logto_id.text().capacity() +
         organization.name.capacity() + heap_bytes(organization.vat) + heap_bytes(organization.managed_by);
}

std::uint64_t hash_of(std::string_view name) {
  return std::hash<std::string_view>{}(name);
}

}  // namespace

VerdictCache::VerdictCache(Limits limits)
    : limits_{std::max<std::size_t>(1, limits.admitted / kShards),
              std::max<std::size_t>(1, limits.refused / kShards), limits.admitted_bytes / kShards} {}

void VerdictCache::Shard::erase(Entries::iterator entry) {
  for (const std::uint64_t name : entry->names) by_name.erase({name, &*entry});
  by_key.erase(entry->key);
  if (entry->system) {
    admitted_bytes -= entry->bytes;
    admitted.erase(entry);
  } else {
    refused.erase(entry);
  }
}

void VerdictCache::Shard::shrink(const Limits& limits) {
  while (refused.size() > limits.refused) erase(std::prev(refused.end()));
  while (!admitted.empty() && (admitted.size() > limits.admitted || admitted_bytes > limits.admitted_bytes)) {
    erase(std::prev(admitted.end()));
  }
}

Verdict VerdictCache::find(const Key& key, Time now) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.by_key.find(key);
  if (found == shard.by_key.end()) return {};
  const Entries::iterator entry = found->second;
  if (now >= entry->expires) {
    shard.erase(entry);
    return {};
  }
  Entries& entries = entry->system ? shard.admitted : shard.refused;
  entries.splice(entries.begin(), entries, entry);
  return entry->system ? Verdict::admitted(entry->system) : Verdict::refused();
}

void VerdictCache::put(const Key& key, const Verdict& verdict, std::array<std::string_view, 2> names,
                       Time expires, std::uint64_t epoch) {
  if (verdict.kind == Verdict::Kind::unknown) return;
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  // invalidate() counts first and takes this mutex second: either we see the new count here, or it sees our
  // entry.
  if (epoch_.load(std::memory_order_acquire) != epoch) return;
  if (const auto known = shard.by_key.find(key); known != shard.by_key.end()) shard.erase(known->second);

  const std::size_t bytes = kEntryOverhead + (verdict.system ? bytes_of(*verdict.system) : 0);
  Entries& entries = verdict.system ? shard.admitted : shard.refused;
  entries.push_front({key, verdict.system, {hash_of(names[0]), hash_of(names[1])}, expires, bytes});
  const Entry& entry = entries.front();
  if (entry.system) shard.admitted_bytes += bytes;
  shard.by_key.emplace(key, entries.begin());
  for (const std::uint64_t name : entry.names) shard.by_name.emplace(name, &entry);
  shard.shrink(limits_);
}

void VerdictCache::invalidate(std::string_view name) {
  epoch_.fetch_add(1, std::memory_order_acq_rel);
  const std::uint64_t hash = hash_of(name);
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    while (true) {
      const auto found = shard.by_name.lower_bound({hash, nullptr});
      if (found == shard.by_name.end() || found->first != hash) break;
      shard.erase(shard.by_key.at(found->second->key));
    }
  }
}

void VerdictCache::clear() {
  epoch_.fetch_add(1, std::memory_order_acq_rel);
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    shard.by_name.clear();
    shard.by_key.clear();
    shard.admitted.clear();
    shard.refused.clear();
    shard.admitted_bytes = 0;
  }
}

VerdictCache::Size VerdictCache::size() const {
  Size size;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    size.admitted += shard.admitted.size();
    size.refused += shard.refused.size();
    size.admitted_bytes += shard.admitted_bytes;
  }
  return size;
}

}  // namespace collect::systems
