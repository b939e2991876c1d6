// SPDX-License-Identifier: Apache-2.0
// inventory/packing: documents there and back, and stored bytes that are damaged.
#include <array>

#include "base/hash.h"
#include "fuzz/fuzz.h"
#include "inventory/packing.h"

namespace collect::fuzz {
namespace {

using inventory::PackedRow;

PackedRow row(std::int64_t id, std::optional<std::int64_t> base, std::string bytes,
              std::string_view document) {
  std::optional<RecordId> base_id;
  if (base) base_id = RecordId{*base};
  return {RecordId{id}, base_id, base ? 1 : 0, std::move(bytes), to_hex(sha256(document))};
}

void hold_round_trip(std::string_view base, std::string_view document, std::string_view third) {
  const PackedRow full = row(1, std::nullopt, inventory::pack(base), base);
  hold(inventory::unpack(full, nullptr).value() == base, "a full document comes back");
  const PackedRow on_base = row(2, 1, inventory::pack(document, base), document);
  hold(inventory::unpack(on_base, &full).value() == document, "a document on a base comes back");
  hold(!inventory::unpack(on_base, nullptr).ok(), "without its base it does not");
  const std::array dependents = {on_base, row(3, 1, inventory::pack(third, base), third)};
  const auto moved = inventory::rebase(full, dependents);
  hold(moved.size() == 2 && !moved[0].base_id && moved[1].base_id == RecordId{2}, "none stands on what goes");
  hold(inventory::unpack(moved[0], nullptr).value() == document, "the first comes back alone");
  hold(inventory::unpack(moved[1], moved.data()).value() == third, "the others come back on it");
}

// What is given is the document that was packed, whatever happened to the bytes.
void hold_damage_seen(std::string_view document, std::string bytes, const PackedRow* base, unsigned at,
                      unsigned with) {
  if (bytes.empty()) return;
  char& damaged = bytes[at * 251 % bytes.size()];
  damaged = static_cast<char>(damaged ^ with);
  const auto read = inventory::unpack(
      row(2, base == nullptr ? std::nullopt : std::optional(std::int64_t{1}), bytes, document), base);
  hold(read.ok() ? *read == document : read.failure().kind == FailureKind::internal, "damage is seen");
}

}  // namespace

void run(std::string_view input) {
  const unsigned at = take_number(input);
  const unsigned with = take_number(input);
  const std::string_view base = take_part(input, '\xff');
  const std::string_view document = take_part(input, '\xff');
  hold_round_trip(base, document, input);
  hold_damage_seen(document, inventory::pack(document), nullptr, at, with);
  const PackedRow full = row(1, std::nullopt, inventory::pack(base), base);
  hold_damage_seen(document, inventory::pack(document, base), &full, at, with);
  // Bytes that were never packed.
  (void)inventory::unpack(row(1, std::nullopt, std::string(base), document), nullptr);
}

}  // namespace collect::fuzz
