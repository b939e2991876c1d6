// SPDX-License-Identifier: Apache-2.0
#include "inventory/packing.h"

#include <fmt/format.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <new>

#include "base/hash.h"

namespace collect::inventory {
namespace {

// Measured on reports of 30 KB: a tenth smaller than at level 1 for 3 µs more; level 6 takes four times as
// long.
constexpr int kLevel = 3;
// What every zstd decoder accepts without being asked to take more memory.
constexpr int kMostWindowLog = 27;
// From here on matches lie further back than the tables of that level remember.
constexpr std::size_t kLong = 1U << 20U;
// No inventory can be larger (API_MAX_REQUEST_SIZE): a damaged length must not ask for all memory.
constexpr std::uint64_t kMostBytes = 1U << 30U;
// Nor can a frame hold more: a block takes at least 4 bytes and gives at most 128 KiB.
constexpr std::uint64_t kMostBytesPerByte = (128U << 10U) / 4;
// A document that shrinks less than this on its base has little in common with it.
constexpr std::size_t kWorthABase = 8;

template <class T>
T* required(T* context) {
  if (context == nullptr) throw std::bad_alloc();
  return context;
}

ZSTD_CCtx& compressor() {
  thread_local const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(required(ZSTD_createCCtx()),
                                                                                  &ZSTD_freeCCtx);
  ZSTD_CCtx_reset(context.get(), ZSTD_reset_session_and_parameters);
  return *context;
}

ZSTD_DCtx& decompressor() {
  thread_local const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(required(ZSTD_createDCtx()),
                                                                                  &ZSTD_freeDCtx);
  ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_and_parameters);
  return *context;
}

std::int64_t number(RecordId id) {
  return static_cast<std::int64_t>(id);
}

Failure damaged(const PackedRow& row, std::string_view how) {
  return internal(
      fmt::format("record {} cannot be read: its document is damaged: {}", number(row.record_id), how));
}

Result<std::string> unframe(const PackedRow& row, std::string_view base) {
  const std::string& frame = row.bytes;
  const auto claimed = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (claimed == ZSTD_CONTENTSIZE_ERROR || claimed == ZSTD_CONTENTSIZE_UNKNOWN || claimed > kMostBytes) {
    return damaged(
        row, fmt::format("expected a zstd frame that tells its length, got {} other bytes", frame.size()));
  }
  if (claimed > frame.size() * kMostBytesPerByte) {
    return damaged(row,
                   fmt::format("its {} bytes cannot hold the {} that they tell of", frame.size(), claimed));
  }
  ZSTD_DCtx& context = decompressor();
  if (!base.empty() && ZSTD_isError(ZSTD_DCtx_refPrefix(&context, base.data(), base.size())) != 0)
    throw std::bad_alloc();
  std::string out(static_cast<std::size_t>(claimed), '\0');
  const std::size_t size = ZSTD_decompressDCtx(&context, out.data(), out.size(), frame.data(), frame.size());
  if (ZSTD_getErrorCode(size) == ZSTD_error_memory_allocation) throw std::bad_alloc();
  if (ZSTD_isError(size) != 0) return damaged(row, fmt::format("zstd says: {}", ZSTD_getErrorName(size)));
  if (size != out.size()) return damaged(row, fmt::format("expected {} bytes, got {}", out.size(), size));
  return out;
}

}  // namespace

std::string pack(std::string_view document, std::string_view base) {
  ZSTD_CCtx& context = compressor();
  ZSTD_CCtx_setParameter(&context, ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(&context, ZSTD_c_checksumFlag, 1);
  if (!base.empty() && document.size() + base.size() <= (std::size_t{1} << kMostWindowLog)) {
    const int log = std::bit_width(document.size() + base.size());
    ZSTD_CCtx_setParameter(&context, ZSTD_c_windowLog, std::clamp(log, 10, kMostWindowLog));
    if (base.size() >= kLong) ZSTD_CCtx_setParameter(&context, ZSTD_c_enableLongDistanceMatching, 1);
    ZSTD_CCtx_refPrefix(&context, base.data(), base.size());
  }
  std::string out(ZSTD_compressBound(document.size()), '\0');
  const std::size_t size = ZSTD_compress2(&context, out.data(), out.size(), document.data(), document.size());
  if (ZSTD_isError(size) != 0) throw std::bad_alloc();  // with room for all, nothing else can happen
  out.resize(size);
  return out;
}

Result<std::string> unpack_base(const PackedRow& row) {
  return unframe(row, {});
}

Result<std::string> unpack(const PackedRow& row, const PackedRow* base) {
  if (row.base_id && base == nullptr) {
    return internal(fmt::format("record {} cannot be read: record {}, on which it is packed, is gone",
                                number(row.record_id), number(*row.base_id)));
  }
  std::string base_document;
  if (row.base_id) {
    auto read = unpack_base(*base);
    if (!read) {
      return internal(fmt::format("record {} cannot be read: it is packed on another: {}",
                                  number(row.record_id), read.failure().message));
    }
    base_document = *std::move(read);
  }
  auto document = unframe(row, base_document);
  if (document && to_hex(sha256(*document)) != row.hash) {
    return damaged(row, "its SHA-256 is not the one that was stored with it");
  }
  return document;
}

PackedRow pack_next(const std::optional<PackPlace>& place, std::string_view document, std::string_view hash,
                    int nth, bool last, const PackOnBase& pack_on_base) {
  const int position = place ? place->position + 1 + nth : 0;
  if (place && !(last && position >= kMostOnABase)) {
    auto bytes = pack_on_base();
    if (bytes && bytes->size() * kWorthABase <= document.size()) {
      return {RecordId{}, place->base_id, position, *std::move(bytes), std::string(hash)};
    }
  }
  return {RecordId{}, std::nullopt, 0, pack(document), std::string(hash)};
}

std::vector<PackedRow> rebase(const PackedRow& base, std::span<const PackedRow> dependents) {
  std::vector<PackedRow> out;
  std::string first_document;
  for (const PackedRow& row : dependents) {
    auto document = unpack(row, &base);
    if (!document) continue;
    if (out.empty()) {
      out.push_back({row.record_id, std::nullopt, 0, pack(*document), row.hash});
      first_document = *std::move(document);
    } else {
      out.push_back(
          {row.record_id, out.front().record_id, row.position, pack(*document, first_document), row.hash});
    }
  }
  return out;
}

}  // namespace collect::inventory
