// SPDX-License-Identifier: Apache-2.0
#include "inventory/batch_packer.h"

namespace collect::inventory {

std::set<SystemId> BatchPacker::unknown() const {
  std::set<SystemId> out;
  for (const Arrival& arrival : batch_) {
    if (bases_.find(arrival.system_id.text()) == nullptr) out.insert(arrival.system_id);
  }
  return out;
}

void BatchPacker::know(const SystemId& system_id, PackBase base) {
  const std::size_t weight = base.document.size();
  bases_.replace(system_id.text(), std::make_shared<const PackBase>(std::move(base)), weight);
}

void BatchPacker::pack_ahead() {
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    const auto base = bases_.find(batch_[i].system_id.text());
    if (base == nullptr || base->hash == batch_[i].hash) continue;
    ahead_[i] = {base->record_id, base->hash, inventory::pack(batch_[i].document, base->document)};
  }
}

bool BatchPacker::is_ready(std::size_t arrival, const PackPlace& place) const {
  const auto found = ahead_.find(arrival);
  return found != ahead_.end() && found->second.base_id == place.base_id &&
         found->second.base_hash == place.base_hash;
}

std::map<RecordId, std::string> BatchPacker::read_needed(const IntakePlan& plan, const Places& places,
                                                         const ReadBases& read) const {
  std::set<RecordId> needed;
  for (const NewRecord& record : plan.records) {
    const auto place = places.find(batch_[record.arrival].system_id);
    if (place != places.end() && !is_ready(record.arrival, place->second))
      needed.insert(place->second.base_id);
  }
  if (needed.empty()) return {};
  return read(std::vector<RecordId>(needed.begin(), needed.end()));
}

std::vector<PackedRow> BatchPacker::pack(const IntakePlan& plan, const Places& places,
                                         const ReadBases& read) {
  const auto documents = read_needed(plan, places, read);
  for (const auto& [system_id, place] : places) {
    const auto read_one = documents.find(place.base_id);
    if (read_one != documents.end()) know(system_id, {place.base_id, place.base_hash, read_one->second});
  }
  std::map<SystemId, int> left;
  for (const NewRecord& record : plan.records) ++left[batch_[record.arrival].system_id];
  std::map<SystemId, int> done;
  std::vector<PackedRow> rows;
  rows.reserve(plan.records.size());
  for (const NewRecord& record : plan.records) {
    const Arrival& arrival = batch_[record.arrival];
    const auto found = places.find(arrival.system_id);
    const auto place = found == places.end() ? std::nullopt : std::optional(found->second);
    const auto pack_on_base = [&]() -> std::optional<std::string> {
      if (is_ready(record.arrival, *place)) return std::move(ahead_.at(record.arrival).bytes);
      const auto document = documents.find(place->base_id);
      if (document == documents.end()) return std::nullopt;
      return inventory::pack(arrival.document, document->second);
    };
    const bool last = --left[arrival.system_id] == 0;
    rows.push_back(
        pack_next(place, arrival.document, arrival.hash, done[arrival.system_id]++, last, pack_on_base));
  }
  return rows;
}

void BatchPacker::remember(const IntakePlan& plan, std::span<const PackedRow> rows,
                           std::span<const RecordId> ids) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].base_id) continue;
    const Arrival& arrival = batch_[plan.records[i].arrival];
    know(arrival.system_id, {ids[i], arrival.hash, arrival.document});
  }
}

}  // namespace collect::inventory
