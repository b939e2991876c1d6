// SPDX-License-Identifier: Apache-2.0
// How the compact store keeps documents (docs/decisions/0018): packed with zstd (RFC 8878). A record's
// document is packed alone ("full"), or on its base: an earlier full one of the same system, of which it then
// says little more than what is different. So no document takes more than two steps to read. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/lru_cache.h"
#include "base/result.h"

namespace collect::inventory {

// How a store writes new documents. It reads both.
enum class DocumentForm { plain, packed };

// Documents that stand on one full one, about: then the next is packed alone.
inline constexpr int kMostOnABase = 64;

// A zstd frame with its length and checksum. With a base it can be unpacked with exactly that base only.
// Works on the calling thread; throws std::bad_alloc only.
std::string pack(std::string_view document, std::string_view base = {});

// A stored packed document.
struct PackedRow {
  RecordId record_id{};
  std::optional<RecordId> base_id;  // nullopt: full
  int position = 0;                 // since the full one: 0 is that itself
  std::string bytes;
  std::string hash;  // SHA-256 of the document in hex; not data_hash where that is of another writing of it
};

// The document of a row; `base` is the row that it names, where that is there. `internal` says which record
// is damaged or missing, and how: what is given is the document that was packed, to the byte.
Result<std::string> unpack(const PackedRow& row, const PackedRow* base);
// Of a full row, to be a base: checked by zstd's checksum, not by its SHA-256, which is the dependent's turn.
Result<std::string> unpack_base(const PackedRow& row);

// Where the next document of a system may stand: on the full one that its latest record is, or stands on.
struct PackPlace {
  RecordId base_id{};
  std::string base_hash;
  int position = 0;  // of the latest record
};

// A full one with its document; only of committed records. Kept by system, so that it need not be read for
// every new record; `hash` tells whether it is still the same.
struct PackBase {
  RecordId record_id{};
  std::string hash;
  std::string document;
};
using PackBases = LruCache<PackBase>;
inline constexpr std::size_t kPackBaseBytes = 32U << 20U;

// Gives a document packed on the base that a place names; nullopt: that cannot be read.
using PackOnBase = std::function<std::optional<std::string>()>;

// Packs `document` on the base, or alone: where there is none, where the two have little in common, or where
// it is time for a new full one and this may be it. `nth` counts the system's documents in a batch from 0;
// only the `last` of it may become full for the sake of those to come, because no document can stand on
// another of its batch, whose id is not known yet. record_id is left to the caller.
PackedRow pack_next(const std::optional<PackPlace>& place, std::string_view document, std::string_view hash,
                    int nth, bool last, const PackOnBase& pack_on_base);

// The rows of `dependents`, by id, packed anew so that none stands on `base`, which is about to go: the first
// alone and the others on that. What cannot be unpacked is left out: it stays as it is, and unreadable.
std::vector<PackedRow> rebase(const PackedRow& base, std::span<const PackedRow> dependents);

}  // namespace collect::inventory
