// SPDX-License-Identifier: Apache-2.0
// Values under texts, the least recently used of which go when they weigh too much together. Thread-safe.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace collect {

template <class Value>
class LruCache {
 public:
  // What all values may weigh together; one that is heavier alone is not kept.
  explicit LruCache(std::size_t most_weight) : most_weight_(most_weight) {}

  // nullptr: not kept. What was found stays alive as long as the caller holds it.
  std::shared_ptr<const Value> find(std::string_view key) {
    const std::lock_guard lock(mutex_);
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->value;
  }

  // A key that is there already keeps its value.
  void put(std::string_view key, std::shared_ptr<const Value> value, std::size_t weight) {
    std::list<Entry> gone;  // freed after the lock
    const std::lock_guard lock(mutex_);
    if (weight > most_weight_ || index_.contains(key)) return;
    entries_.push_front({std::string(key), std::move(value), weight});
    index_.emplace(entries_.front().key, entries_.begin());
    weight_ += weight;
    while (weight_ > most_weight_) {
      weight_ -= entries_.back().weight;
      index_.erase(entries_.back().key);
      gone.splice(gone.begin(), entries_, std::prev(entries_.end()));
    }
  }

  // As put(), but what stands there already goes.
  void replace(std::string_view key, std::shared_ptr<const Value> value, std::size_t weight) {
    erase(key);
    put(key, std::move(value), weight);
  }

  void erase(std::string_view key) {
    std::list<Entry> gone;  // freed after the lock
    const std::lock_guard lock(mutex_);
    const auto found = index_.find(key);
    if (found == index_.end()) return;
    weight_ -= found->second->weight;
    gone.splice(gone.begin(), entries_, found->second);
    index_.erase(found);
  }

  [[nodiscard]] std::size_t weight() const {
    const std::lock_guard lock(mutex_);
    return weight_;
  }

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const Value> value;
    std::size_t weight;
  };
  const std::size_t most_weight_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;                                                         // newest use first
  std::unordered_map<std::string_view, typename std::list<Entry>::iterator> index_;  // keys stand in entries_
  std::size_t weight_ = 0;
};

}  // namespace collect
