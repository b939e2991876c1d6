// SPDX-License-Identifier: Apache-2.0
// Packs the documents that one batch adds: most of the work before any lock is taken, on bases that are
// remembered or were just read; what turns out to stand elsewhere by then is packed again.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "inventory/intake_store.h"
#include "inventory/packing.h"

namespace collect::inventory {

// For one batch, one thread. The arrivals must stay where they are.
class BatchPacker {
 public:
  using Places = std::map<SystemId, PackPlace>;
  // The documents of these bases as they stand in the database, by record; those that cannot be read are left
  // out.
  using ReadBases = std::function<std::map<RecordId, std::string>(std::span<const RecordId>)>;

  BatchPacker(PackBases& bases, std::span<const Arrival> batch) : bases_(bases), batch_(batch) {}

  // Systems of the batch of which no base is remembered: know() those that have one.
  [[nodiscard]] std::set<SystemId> unknown() const;
  void know(const SystemId& system_id, PackBase base);
  void pack_ahead();

  // Under the locks of the systems: the rows of the plan's records, in their order. `places` are those of the
  // systems that have one.
  std::vector<PackedRow> pack(const IntakePlan& plan, const Places& places, const ReadBases& read);

  // After the commit.
  void remember(const IntakePlan& plan, std::span<const PackedRow> rows, std::span<const RecordId> ids);

 private:
  struct Ahead {
    RecordId base_id{};
    std::string base_hash;
    std::string bytes;
  };
  std::map<RecordId, std::string> read_needed(const IntakePlan& plan, const Places& places,
                                              const ReadBases& read) const;
  [[nodiscard]] bool is_ready(std::size_t arrival, const PackPlace& place) const;

  PackBases& bases_;
  const std::span<const Arrival> batch_;
  std::map<std::size_t, Ahead> ahead_;  // by arrival
};

}  // namespace collect::inventory
