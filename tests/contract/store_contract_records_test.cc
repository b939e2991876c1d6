// SPDX-License-Identifier: Apache-2.0
// RecordStore: records that go, and documents that change their form, whatever stands on them.
#include <fmt/format.h>

#include "contract/store_contract.h"

namespace collect::test {
namespace {

using inventory::ComparisonState;
using inventory::Conversion;
using inventory::DocumentForm;
using inventory::RecordDiffs;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Large enough that packing on another one is worth it. Key order and whitespace are no engine's.
std::string document(std::string_view system, int number) {
  std::string out = fmt::format("{{ \"z\": {},", number);
  for (int i = 0; i < 200; ++i) out += fmt::format("\"{} fact {}\": {},", system, i, i * 7919);
  return out + "\"a\":true}";
}

class RecordContract : public StoreContract {
 protected:
  RecordContract() { add_systems({"a", "b"}); }

  // One batch for each document, as a fleet's cadence makes them.
  std::vector<RecordId> records(std::string_view system, int from, int to) {
    std::vector<RecordId> ids;
    for (int i = from; i < to; ++i) {
      const auto message = fmt::format("{}-{}", system, i);
      ids.push_back(store({arrival(message, system, document(system, i), 10 * i)}, 10 * i + 1).front());
    }
    return ids;
  }
  std::string read(RecordId id) {
    const auto found = stores_.history.document(id);
    if (!found) return "failure: " + found.failure().message;
    return found->value_or("nothing");
  }
  void expect_documents(std::string_view system, const std::vector<RecordId>& ids, int from = 0) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      EXPECT_TRUE(same_json(read(ids[i]), document(system, from + static_cast<int>(i)))) << read(ids[i]);
    }
  }
  static Conversion convert_all(const backend::Stores& stores, std::size_t at_once = 3) {
    Conversion so_far;
    while (!so_far.done) {
      auto next = stores.records.convert(so_far, at_once);
      if (!next) throw std::runtime_error(next.failure().message);
      so_far = *next;
    }
    return so_far;
  }
  backend::Stores other_form() {
    return ground_->another(packs() ? DocumentForm::plain : DocumentForm::packed);
  }
  // A process that has just been started.
  backend::Stores packing() { return ground_->another(DocumentForm::packed); }
  bool is_sqlite() const { return GetParam().name.starts_with("Sqlite"); }
  bool packs() const { return GetParam().name == "Sqlite" || GetParam().name == "PostgresCompact"; }
  std::string packed_where(const std::string& condition) {
    const auto columns =
        is_sqlite() ? "record_id, base_id from packed_documents where " + condition
                    : "id, packed_base from inventory_records where packed is not null and " + condition;
    return sql("select " + columns + " order by 1");
  }
  std::string packed() { return packed_where("1 = 1"); }
  static std::string text(RecordId id) { return std::to_string(static_cast<std::int64_t>(id)); }
  void damage(RecordId id) {
    sql(is_sqlite() ? "update packed_documents set frame = x'00112233' where record_id = " + text(id)
                    : "update inventory_records set packed = '\\x00112233' where id = " + text(id));
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, RecordContract, testing::ValuesIn(inventory_engines()), engine_name);

TEST_P(RecordContract, DocumentsComeBackWhateverTheyArePackedOn) {
  const auto a = records("a", 0, 70);  // more than stand on one
  const auto b = records("b", 0, 3);
  expect_documents("a", a);
  expect_documents("b", b);
  if (packs()) {
    EXPECT_EQ(read(a[69]), document("a", 69));  // to the byte
    EXPECT_EQ(packed_where(is_sqlite() ? "base_id is null" : "packed_base is null"),
              text(a[0]) + "|\n" + text(a[64]) + "|\n" + text(b[0]) + "|\n");
  } else {
    EXPECT_EQ(packed(), "");
  }
}

TEST_P(RecordContract, ManyOfASystemInOneBatchAreAllReadable) {
  std::vector<inventory::Arrival> batch;
  for (int i = 0; i < 5; ++i) batch.push_back(arrival(fmt::format("m{}", i), "a", document("a", i), 10 + i));
  expect_documents("a", store(batch, 20));
  batch.clear();
  for (int i = 5; i < 90; ++i)
    batch.push_back(arrival(fmt::format("m{}", i), "a", document("a", i), 100 + i));
  expect_documents("a", store(batch, 300), 5);
  const auto next = records("a", 100, 103);
  expect_documents("a", next, 100);
}

TEST_P(RecordContract, ABatchThatIsRolledBackLeavesNothingToPackOn) {
  const std::vector<inventory::Arrival> batch = {arrival("m1", "a", document("a", 1), 10)};
  EXPECT_THROW(stores_.intake.take_in(batch, at(11),
                                      [&](const inventory::IntakeState&) -> inventory::IntakePlan {
                                        throw std::runtime_error("stop");
                                      }),
               std::runtime_error);
  // After the record was written.
  EXPECT_THROW(
      stores_.intake.take_in(batch, at(11),
                             [&](const inventory::IntakeState&) {
                               auto plan = plan_all(batch);
                               plan.touched.push_back({inventory::RecordRef{std::nullopt, 99}, at(12)});
                               return plan;
                             }),
      std::out_of_range);
  expect_documents("a", records("a", 0, 4));
}

TEST_P(RecordContract, RemovedRecordsAreGoneAndTheirNeighboursAreNot) {
  const auto ids = records("a", 0, 6);
  const auto others = records("b", 0, 2);
  // The first, on which the others stand, one in the middle, the last; another system's, and one that never
  // was.
  const std::vector<RecordId> leaving = {ids[5], ids[0], ids[2], others[0], RecordId{999'999}, ids[0]};
  EXPECT_EQ(stores_.records.remove(id_of("a"), leaving).value(), 3U);
  EXPECT_EQ(read(ids[0]), "nothing");
  EXPECT_EQ(read(ids[2]), "nothing");
  EXPECT_EQ(read(ids[5]), "nothing");
  EXPECT_TRUE(same_json(read(ids[1]), document("a", 1)));
  EXPECT_TRUE(same_json(read(ids[3]), document("a", 3)));
  EXPECT_TRUE(same_json(read(ids[4]), document("a", 4)));
  expect_documents("b", others);
  EXPECT_THAT(*stores_.history.records(id_of("a"), {}, 10), SizeIs(3));
  EXPECT_EQ(stores_.records.remove(id_of("a"), leaving).value(), 0U);
  // Life goes on.
  expect_documents("a", records("a", 6, 9), 6);
  if (packs()) {
    EXPECT_EQ(read(ids[4]), document("a", 4));
  }
}

TEST_P(RecordContract, AllOfASystemMayGo) {
  const auto ids = records("a", 0, 4);
  EXPECT_EQ(stores_.records.remove(id_of("a"), ids).value(), 4U);
  EXPECT_EQ(stores_.history.latest(id_of("a")).value(), std::nullopt);
  expect_documents("a", records("a", 4, 6), 4);
}

TEST_P(RecordContract, NobodysRecordsAreNone) {
  EXPECT_EQ(stores_.records.remove(SystemId("no such system"), std::vector{RecordId{1}}).value(), 0U);
}

TEST_P(RecordContract, DiffsOutliveTheRecordsThatGo) {
  const auto ids = records("a", 0, 2);
  ASSERT_TRUE(succeeded(compare(
      "a",
      [&](const ComparisonState&) -> std::vector<RecordDiffs> {
        return {{ids[0], std::nullopt, "", {}}, {ids[1], ids[0], "", {change("z", "0", "1")}}};
      },
      50)));
  EXPECT_EQ(stores_.records.remove(id_of("a"), std::vector{ids[0]}).value(), 1U);
  const auto diffs = stores_.history.diffs(id_of("a"), {}, 10);
  ASSERT_THAT(*diffs, SizeIs(1));
  EXPECT_EQ(diffs->front().previous_id, std::nullopt);
  EXPECT_EQ(diffs->front().current_id, ids[1]);
}

TEST_P(RecordContract, ConvertsEveryDocumentThereAndBack) {
  const auto a = records("a", 0, 9);
  const auto b = records("b", 0, 2);
  const auto before = *stores_.history.records(id_of("a"), {}, 100);
  const auto columns =
      "select id, timestamp, data_hash, data_size, created_at, updated_at from inventory_records order by id";
  const auto rows = sql(columns);

  const auto there = convert_all(other_form());
  EXPECT_EQ(there.converted, 11U);
  EXPECT_EQ(there.unreadable, 0U);
  EXPECT_EQ(packed().empty(), packs());
  expect_documents("a", a);
  expect_documents("b", b);
  EXPECT_EQ(sql(columns), rows);
  EXPECT_EQ(convert_all(other_form()).converted, 0U);

  const auto back = convert_all(stores_);
  EXPECT_EQ(back.converted, 11U);
  EXPECT_EQ(packed().empty(), !packs());
  expect_documents("a", a);
  expect_documents("b", b);
  EXPECT_EQ(sql(columns), rows);
  if (is_sqlite()) {
    EXPECT_EQ(read(a[3]), document("a", 3));  // what was text never was anything else
  }
}

TEST_P(RecordContract, GoesOnWhereAConversionWasCutOff) {
  const auto a = records("a", 0, 7);
  const auto some = other_form().records.convert({}, 3);
  ASSERT_TRUE(succeeded(some));
  EXPECT_EQ(some->converted, 3U);
  EXPECT_FALSE(some->done);
  expect_documents("a", a);
  // New ones arrive meanwhile, from a service of either form.
  const auto more = records("a", 7, 9);
  EXPECT_GE(convert_all(other_form()).converted, 4U);
  expect_documents("a", a);
  expect_documents("a", more, 7);
  EXPECT_EQ(packed().empty(), packs());
}

TEST_P(RecordContract, ADamagedDocumentIsToldAndHarmsNoNeighbour) {
  const auto ids = records("a", 0, 5);
  convert_all(packing());
  damage(ids[2]);
  EXPECT_THAT(read(ids[2]), HasSubstr("failure: record " + text(ids[2]) + " cannot be read"));
  EXPECT_TRUE(same_json(read(ids[1]), document("a", 1)));
  EXPECT_TRUE(same_json(read(ids[3]), document("a", 3)));

  // Comparing goes on: the others' documents are there, and the reason why one is not.
  ASSERT_TRUE(succeeded(compare(
      "a",
      [&](const ComparisonState& state) -> std::vector<RecordDiffs> {
        EXPECT_THAT(state.pending, SizeIs(5));
        EXPECT_TRUE(same_json(state.pending[1].document, document("a", 1)));
        EXPECT_EQ(state.pending[1].damage, "");
        EXPECT_EQ(state.pending[2].document, "");
        EXPECT_THAT(state.pending[2].damage, HasSubstr("record " + text(ids[2])));
        return {};
      },
      90)));

  // So do conversion and removal.
  const auto converted = convert_all(ground_->another(DocumentForm::plain));
  EXPECT_EQ(converted.converted, 4U);
  EXPECT_EQ(converted.unreadable, 1U);
  EXPECT_THAT(converted.damage, HasSubstr("record " + text(ids[2])));
  EXPECT_TRUE(same_json(read(ids[0]), document("a", 0)));
  EXPECT_EQ(stores_.records.remove(id_of("a"), std::vector{ids[0], ids[2]}).value(), 2U);
  EXPECT_TRUE(same_json(read(ids[4]), document("a", 4)));
}

TEST_P(RecordContract, NewRecordsStandOnNoDamagedOne) {
  const auto ids = records("a", 0, 2);
  convert_all(packing());
  damage(ids[0]);
  const std::vector<inventory::Arrival> batch = {arrival("m", "a", document("a", 2), 100)};
  const auto next = packing().intake.take_in(batch, at(101),
                                             [&](const inventory::IntakeState&) { return plan_all(batch); });
  ASSERT_TRUE(succeeded(next));
  EXPECT_TRUE(same_json(read(next->front()), document("a", 2))) << read(next->front());
}

TEST_P(RecordContract, TwoProcessesPackTheSameSystem) {
  const auto other = packing();
  std::vector<RecordId> ids;
  for (int i = 0; i < 150; ++i) {  // each begins anew when it is time, and sees what the other began
    const std::vector<inventory::Arrival> batch = {
        arrival(fmt::format("m{}", i), "a", document("a", i), 10 * i)};
    const auto& stores = i % 3 == 0 ? other : stores_;
    const auto stored = stores.intake.take_in(batch, at(10 * i + 1),
                                              [&](const inventory::IntakeState&) { return plan_all(batch); });
    ASSERT_TRUE(succeeded(stored));
    ids.push_back(stored->front());
  }
  expect_documents("a", ids);
}

}  // namespace
}  // namespace collect::test
