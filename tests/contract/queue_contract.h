// SPDX-License-Identifier: Apache-2.0
// What every engine's queue has to keep: one suite (queue_contract.cc), instantiated once for each engine.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "queue/queue.h"

namespace collect::queue::test {

struct QueueSettings {
  std::uint64_t max_depth = 0;
  Duration lease = std::chrono::seconds(15);
};

// An empty store of the engine's own; every queue that is opened on it is another process's view of the same
// thing.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::unique_ptr<Queue> open(const QueueSettings& settings) = 0;
};

struct EngineCase {
  std::string name;
  std::function<std::unique_ptr<Engine>()> make;
};

class QueueContract : public testing::TestWithParam<EngineCase> {
 protected:
  std::unique_ptr<Queue> open(const QueueSettings& settings = {}) { return engine_->open(settings); }

  std::unique_ptr<Engine> engine_ = GetParam().make();
};

inline constexpr Stage kStage = Stage::inventory;
using Texts = std::vector<std::string>;

inline WorkerId worker(std::string_view name) {
  return this_worker(name);
}

// A message's text, as small as it gets.
inline std::string text_of(std::string_view system, int number) {
  return "{\"system_id\":\"" + std::string(system) + "\",\"data\":{\"n\":" + std::to_string(number) + "}}";
}

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error("unexpected failure: " + result.failure().message);
  return *std::move(result);
}
inline void must(const Result<void>& result) {
  if (!result) throw std::runtime_error("unexpected failure: " + result.failure().message);
}

inline void put(Queue& queue, const Texts& texts, Stage stage = kStage) {
  must(queue.enqueue(stage, texts));
}
inline Claim take(Queue& queue, const WorkerId& who, ClaimLimits limits = {}, Stage stage = kStage) {
  return must(queue.claim(stage, who, limits));
}
inline Texts taken(Queue& queue, const WorkerId& who, ClaimLimits limits = {}, Stage stage = kStage) {
  return take(queue, who, limits, stage).texts;
}
inline Settled settle(Queue& queue, const WorkerId& who, const Settlement& settlement = {},
                      Stage stage = kStage) {
  return must(queue.settle(stage, who, settlement));
}

// ready, claimed, delayed, dead
inline std::vector<std::uint64_t> numbers(Queue& queue, Stage stage = kStage) {
  const Depth depth = must(queue.depth(stage));
  return {depth.ready, depth.claimed, depth.delayed, depth.dead};
}

}  // namespace collect::queue::test
