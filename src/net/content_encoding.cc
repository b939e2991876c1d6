// SPDX-License-Identifier: Apache-2.0
#include "net/content_encoding.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <new>

#include "net/http.h"

namespace collect::net {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;  // zlib's way to say: gzip, largest window
constexpr std::size_t kFirstChunk = 65536;

Decoded inflate_gzip(const std::string& body, std::uint64_t max_bytes) {
  Decoded out{Decoding::broken, {}};
  if (body.size() > std::numeric_limits<uInt>::max()) return {Decoding::too_large, {}};
  z_stream stream{};
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) throw std::bad_alloc();  // nothing else can be wrong yet
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> ended(&stream, &inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));  // NOLINT: zlib only reads it
  stream.avail_in = static_cast<uInt>(body.size());
  int state = Z_OK;
  std::string text;
  while (state == Z_OK && stream.total_out <= max_bytes) {
    const std::size_t used = stream.total_out;
    text.resize(std::max(kFirstChunk, text.size() * 2));
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + used);
    stream.avail_out = static_cast<uInt>(std::min<std::size_t>(text.size() - used, 1U << 30U));
    state = inflate(&stream, Z_NO_FLUSH);
  }
  if (state == Z_MEM_ERROR) throw std::bad_alloc();
  const bool whole = state == Z_STREAM_END && stream.avail_in == 0;
  const std::uint64_t size = stream.total_out;
  if (size > max_bytes) return {Decoding::too_large, {}};
  if (!whole) return out;
  text.resize(size);
  return {Decoding::done, std::move(text)};
}

}  // namespace

Decoded decode_body(std::string body, std::string_view encoding, std::uint64_t max_bytes) {
  if (encoding.empty() || equal_ignoring_case(encoding, "identity")) {
    if (body.size() > max_bytes) return {Decoding::too_large, {}};
    return {Decoding::done, std::move(body)};
  }
  if (equal_ignoring_case(encoding, "gzip") || equal_ignoring_case(encoding, "x-gzip")) {
    return inflate_gzip(body, max_bytes);
  }
  return {Decoding::unsupported, {}};
}

}  // namespace collect::net
