// SPDX-License-Identifier: Apache-2.0
// What was decided about credentials, remembered for a while. Bounded in entries and bytes; refusals have a
// bound of their own, so that somebody who tries passwords pushes out nobody's admission. Thread-safe, never
// blocks for I/O.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/hash.h"
#include "systems/system.h"

namespace collect::systems {

struct Verdict {
  enum class Kind : std::uint8_t { unknown, admitted, refused };
  Kind kind = Kind::unknown;
  std::shared_ptr<const System> system;  // set when admitted

  static Verdict admitted(std::shared_ptr<const System> system) {
    return {Kind::admitted, std::move(system)};
  }
  static Verdict refused() { return {Kind::refused, nullptr}; }
};

class VerdictCache {
 public:
  struct Limits {
    std::size_t admitted = 200'000;
    std::size_t refused = 50'000;
    std::size_t admitted_bytes = 256U << 20U;  // refusals are of one small size
  };
  // A keyed hash of the whole credentials: an outsider cannot tell which shard an entry falls into.
  using Key = Sha256;

  explicit VerdictCache(Limits limits);

  // Unknown when there is nothing, or it has expired.
  Verdict find(const Key& key, Time now);

  // Which invalidations have happened so far. Read it before the look-up whose outcome is put().
  [[nodiscard]] std::uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }

  // Remembers an admission or a refusal until `expires`, to be forgotten when either name is invalidated.
  // Does nothing when something was invalidated after `epoch`: the verdict may rest on what was revoked
  // meanwhile.
  void put(const Key& key, const Verdict& verdict, std::array<std::string_view, 2> names, Time expires,
           std::uint64_t epoch);

  // Forgets everything put() under that name (a system_key or an id).
  void invalidate(std::string_view name);
  void clear();

  struct Size {
    std::size_t admitted = 0, refused = 0, admitted_bytes = 0;
  };
  [[nodiscard]] Size size() const;

 private:
  static constexpr std::size_t kShards = 16;
  struct Entry {
    Key key;
    std::shared_ptr<const System> system;  // null: refused
    std::array<std::uint64_t, 2> names;    // hashes: a collision only forgets too much
    Time expires;
    std::size_t bytes;
  };
  using Entries = std::list<Entry>;  // most recently used first
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      std::size_t out = 0;
      std::memcpy(&out, key.data() + 8, sizeof out);
      return out;
    }
  };
  struct Shard {
    mutable std::mutex mutex;
    // All guarded by mutex.
    Entries admitted, refused;
    std::size_t admitted_bytes = 0;
    std::unordered_map<Key, Entries::iterator, KeyHash> by_key;
    std::set<std::pair<std::uint64_t, const Entry*>> by_name;

    void erase(Entries::iterator entry);
    void shrink(const Limits& limits);
  };

  Shard& shard_of(const Key& key) { return shards_[key[0] % kShards]; }

  const Limits limits_;  // of one shard
  std::atomic<std::uint64_t> epoch_{0};
  std::array<Shard, kShards> shards_;
};

}  // namespace collect::systems
