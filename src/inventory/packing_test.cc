// SPDX-License-Identifier: Apache-2.0
#include "inventory/packing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/hash.h"

namespace collect::inventory {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string hash_of(std::string_view document) {
  return to_hex(sha256(document));
}

// Some kilobytes with values that do not repeat; those of `counters` differ from one call to another.
std::string report(int counter) {
  std::mt19937 values(7);
  std::string out = "{\"facts\":{";
  for (int i = 0; i < 300; ++i) {
    out += "\"fact_" + std::to_string(i) +
           "\":" + std::to_string(i % 50 == 0 ? static_cast<unsigned>(counter) * 7919U : values()) + ",";
  }
  return out + "\"end\":true}}";
}

PackedRow full(int id, const std::string& document) {
  return {RecordId{id}, std::nullopt, 0, pack(document), hash_of(document)};
}
PackedRow on(const PackedRow& base, const std::string& base_document, int id, const std::string& document) {
  return {RecordId{id}, base.record_id, id, pack(document, base_document), hash_of(document)};
}

TEST(Packing, GivesEveryDocumentBackToTheByte) {
  std::mt19937 random(1);
  std::string noise(100'000, ' ');
  for (char& c : noise) c = static_cast<char>(random());
  const std::string documents[] = {
      "", "{}", report(1), noise, noise.substr(50'000) + report(2), std::string(3'000'000, 'x')};
  for (const auto& base_document : documents) {
    const auto base = full(1, base_document);
    ASSERT_EQ(unpack(base, nullptr).value(), base_document);
    for (const auto& document : documents) {
      EXPECT_EQ(unpack(on(base, base_document, 2, document), &base).value(), document);
    }
  }
}

TEST(Packing, ALargeDocumentFindsItselfFarBackInItsBase) {
  std::mt19937 random(2);
  std::string large(6 << 20, ' ');
  for (char& c : large) c = static_cast<char>('a' + random() % 26);
  std::string changed = large;
  changed[5 << 20] = '!';
  const auto base = full(1, large);
  const auto row = on(base, large, 2, changed);
  EXPECT_LT(row.bytes.size(), 4096U);
  EXPECT_TRUE(unpack(row, &base).value() == changed);
}

TEST(Packing, DamageIsToldWithTheRecordAndNeverTakenForADocument) {
  const auto base = full(17, report(1));
  const auto row = on(base, report(1), 18, report(2));
  for (std::size_t i = 0; i < row.bytes.size(); ++i) {
    auto bad = row;
    bad.bytes[i] = static_cast<char>(bad.bytes[i] ^ 0x20);
    const auto read = unpack(bad, &base);
    if (read.ok()) {
      EXPECT_EQ(*read, report(2)) << i;  // a bit that means nothing
    } else {
      EXPECT_THAT(read.failure().message, HasSubstr("record 18 ")) << i;
    }
    bad.bytes.resize(i);
    EXPECT_FALSE(unpack(bad, &base).ok()) << i;
  }
  auto bad_base = base;
  bad_base.bytes[bad_base.bytes.size() / 2] ^= 1;
  EXPECT_THAT(unpack(row, &bad_base).failure().message,
              testing::AllOf(HasSubstr("record 18 "), HasSubstr("record 17 ")));
  EXPECT_THAT(unpack(row, nullptr).failure().message,
              testing::AllOf(HasSubstr("record 18 "), HasSubstr("record 17,")));
  const auto other_base = full(17, report(3));
  EXPECT_FALSE(unpack(row, &other_base).ok());
  auto other_hash = base;
  other_hash.hash = hash_of("another");
  EXPECT_THAT(unpack(other_hash, nullptr).failure().message, HasSubstr("SHA-256"));
}

TEST(Packing, ALengthThatIsALieTakesNoMemory) {
  auto row = full(1, "{}");
  // Frame_Content_Size of 8 bytes (RFC 8878, 3.1.1.1.4): single segment, checksum.
  row.bytes = std::string("\x28\xb5\x2f\xfd\xe4\xff\xff\xff\xff\xff\xff\xff\x7f", 13);
  EXPECT_EQ(unpack(row, nullptr).failure().kind, FailureKind::internal);
  // 512 MiB: an inventory might have as many, 13 bytes of a frame cannot.
  row.bytes = std::string("\x28\xb5\x2f\xfd\xe4\0\0\0\x20\0\0\0\0", 13);
  EXPECT_THAT(unpack(row, nullptr).failure().message,
              HasSubstr("cannot hold the 536870912 that they tell of"));
}

PackOnBase on_base(const std::string& document, const std::string& base) {
  return [=] { return std::optional(pack(document, base)); };
}

TEST(Packing, TheNextStandsOnTheFullOneUntilThatIsOld) {
  const std::string base = report(0);
  const std::string next = report(1);
  const auto after = [&](int position, int nth, bool last) {
    return pack_next(PackPlace{RecordId{5}, hash_of(base), position}, next, hash_of(next), nth, last,
                     on_base(next, base));
  };
  EXPECT_EQ(after(0, 0, true).base_id, RecordId{5});
  EXPECT_EQ(after(0, 0, true).position, 1);
  EXPECT_EQ(after(7, 2, false).position, 10);
  EXPECT_EQ(after(kMostOnABase - 2, 0, true).base_id, RecordId{5});
  EXPECT_EQ(after(kMostOnABase - 1, 0, true).base_id, std::nullopt);
  EXPECT_EQ(after(kMostOnABase - 1, 0, true).position, 0);
  // In a batch only the last: the others' base has to have an id.
  EXPECT_EQ(after(kMostOnABase + 3, 4, false).base_id, RecordId{5});
}

TEST(Packing, WithoutABaseOrLikenessItIsFull) {
  const std::string document = report(1);
  const auto none = [](const std::string&) { return [] { return std::optional<std::string>(); }; };
  EXPECT_EQ(pack_next(std::nullopt, document, hash_of(document), 0, true, none("")).base_id, std::nullopt);
  const PackPlace place{RecordId{5}, "", 3};
  EXPECT_EQ(pack_next(place, document, hash_of(document), 0, true, none("")).base_id, std::nullopt);
  EXPECT_EQ(pack_next(place, document, hash_of(document), 0, true, on_base(document, "{\"a\":1}")).base_id,
            std::nullopt);
}

TEST(Packing, DependentsMoveToTheFirstOfThem) {
  const auto base = full(1, report(1));
  const std::vector<PackedRow> dependents = {on(base, report(1), 2, report(2)),
                                             on(base, report(1), 3, report(3)),
                                             on(base, report(1), 4, report(4))};
  const auto moved = rebase(base, dependents);
  ASSERT_THAT(moved, SizeIs(3));
  EXPECT_EQ(moved[0].base_id, std::nullopt);
  EXPECT_EQ(moved[1].base_id, RecordId{2});
  EXPECT_EQ(moved[2].base_id, RecordId{2});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(moved[i].record_id, dependents[i].record_id);
    EXPECT_EQ(unpack(moved[i], i == 0 ? nullptr : &moved[0]).value(), report(i + 2));
  }
}

TEST(Packing, ADamagedDependentIsLeftAndHoldsUpNoOther) {
  const auto base = full(1, report(1));
  std::vector<PackedRow> dependents = {on(base, report(1), 2, report(2)), on(base, report(1), 3, report(3))};
  dependents[0].bytes = "rubbish";
  const auto moved = rebase(base, dependents);
  ASSERT_THAT(moved, SizeIs(1));
  EXPECT_EQ(moved[0].record_id, RecordId{3});
  EXPECT_EQ(unpack(moved[0], nullptr).value(), report(3));
  auto bad_base = base;
  bad_base.bytes = "rubbish";
  EXPECT_THAT(rebase(bad_base, dependents), IsEmpty());
}

}  // namespace
}  // namespace collect::inventory
