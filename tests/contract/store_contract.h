// SPDX-License-Identifier: Apache-2.0
// What every database engine promises through the ports of backend/stores.h: one suite, run on each engine,
// and on PostgreSQL once more with tables that somebody else made.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "backend/stores.h"
#include "inventory/packing.h"

namespace collect::test {

// One migrated database with its ports.
class StoreGround {
 public:
  virtual ~StoreGround() = default;
  virtual backend::Stores ports() = 0;
  // Of another process, on the same database, that writes documents in this form.
  virtual backend::Stores another(inventory::DocumentForm form) = 0;
  // Looks behind the ports, in SQL that all engines understand. Rows as lines, columns separated by '|', null
  // as "". Throws what the engine says.
  virtual std::string sql(const std::string& text) = 0;
};

struct StoreEngine {
  std::string name;
  std::function<std::unique_ptr<StoreGround>()> open_fresh;
};
std::vector<StoreEngine> store_engines();
// And once more with documents in the form that the engine does not choose by itself.
std::vector<StoreEngine> inventory_engines();
inline std::string engine_name(const testing::TestParamInfo<StoreEngine>& tested) {
  return tested.param.name;
}
// SQL that makes the tables which another program may have left behind.
std::string taken_over_tables();

// A time of the tests' day, with microseconds that must survive.
Time at(std::int64_t seconds);

// Readable failures of a Result.
template <class T>
testing::AssertionResult succeeded(const Result<T>& result) {
  if (result.ok()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << to_string(result.failure().kind) << ": " << result.failure().message;
}
template <class T>
std::string kind_of(const Result<T>& result) {
  return result.ok() ? "ok" : std::string(to_string(result.failure().kind));
}
bool same_json(std::string_view a, std::string_view b);

// Tests say systems by short words ("a"); each has one UUID, because the column may want one.
SystemId id_of(std::string_view word);

class StoreContract : public testing::TestWithParam<StoreEngine> {
 protected:
  StoreContract();

  // Created with key "NETH-<word>", at(0), in the customer "org-1", which exists.
  void add_systems(std::initializer_list<std::string_view> words);
  static systems::NewSystem new_system(std::string_view word);

  static inventory::Arrival arrival(std::string_view message, std::string_view system, std::string document,
                                    std::int64_t seconds);
  // Stores each as a record of its own, without deciding anything.
  std::vector<RecordId> store(const std::vector<inventory::Arrival>& batch, std::int64_t now_seconds);
  // The plan that does so.
  static inventory::IntakePlan plan_all(const std::vector<inventory::Arrival>& batch);
  // Compares what is pending of a system; `decide` as in the port.
  Result<std::vector<inventory::Compared>> compare(std::string_view system,
                                                   const inventory::DecideComparison& decide,
                                                   std::int64_t now_seconds,
                                                   std::optional<Time> changed_since = std::nullopt);
  systems::System find(std::string_view word);
  std::string sql(const std::string& text) { return ground_->sql(text); }

  const std::unique_ptr<StoreGround> ground_;
  const backend::Stores stores_;
};

inline diff::Change change(std::string path, std::optional<std::string> previous,
                           std::optional<std::string> current) {
  diff::Change made;
  made.type = !previous  ? diff::ChangeType::create
              : !current ? diff::ChangeType::delete_
                         : diff::ChangeType::update;
  made.field_path = std::move(path);
  made.category = "os";
  made.severity = diff::Severity::high;
  made.previous_value = std::move(previous);
  made.current_value = std::move(current);
  return made;
}

}  // namespace collect::test
