// SPDX-License-Identifier: Apache-2.0
// What the compact store makes of what appliances send: every report comes back, and in how much room it
// stood.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "fleet/appliance.h"
#include "inventory/packing.h"

namespace collect::fleet {
namespace {

using inventory::PackedRow;
using inventory::PackPlace;

constexpr int kReports = 3 * inventory::kMostOnABase;

// Average bytes of a packed document, the full ones included.
std::size_t average_packed(const ApplianceOptions& options) {
  Appliance appliance(options);
  std::string base_document;
  PackedRow base, last;
  std::optional<PackPlace> place;
  std::size_t bytes = 0;
  for (int i = 0; i < kReports; ++i) {
    const std::string document = i == 0 ? appliance.first().json : appliance.next().json;
    last = inventory::pack_next(place, document, to_hex(sha256(document)), 0, true,
                                [&] { return std::optional(inventory::pack(document, base_document)); });
    last.record_id = RecordId{i + 1};
    if (!last.base_id) {
      base = last;
      base_document = document;
    }
    place = PackPlace{base.record_id, base.hash, last.position};
    EXPECT_EQ(inventory::unpack(last, last.base_id ? &base : nullptr).value(), document) << i;
    bytes += last.bytes.size();
  }
  return bytes / kReports;
}

class FleetPacking : public testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, FleetPacking, testing::Values(Kind::ns8, Kind::nsec));

TEST_P(FleetPacking, AReportInWhichOnlyCountersMovedTakesFourHundredBytesAtMost) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const auto bytes = average_packed({GetParam(), seed, 30'000, 0});
    RecordProperty(fmt::format("seed_{}", seed), std::to_string(bytes));
    EXPECT_LE(bytes, 400U) << seed;
  }
}

TEST_P(FleetPacking, AReportWithAChangeTakesAThirtiethAtMost) {
  for (const std::uint64_t seed : {1, 2, 3})
    EXPECT_LE(average_packed({GetParam(), seed, 30'000, 1}), 1000U) << seed;
}

}  // namespace
}  // namespace collect::fleet
