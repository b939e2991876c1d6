// SPDX-License-Identifier: Apache-2.0
// net/content_encoding: gzip bodies, whole and broken.
#include <zlib.h>

#include "fuzz/fuzz.h"
#include "net/content_encoding.h"

namespace collect::fuzz {
namespace {

using net::Decoding;

constexpr std::uint64_t kLimit = 200'000;

std::string gzipped(std::string_view text) {
  std::string plain(text);
  z_stream stream{};
  deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace

void run(std::string_view input) {
  const auto read = net::decode_body(std::string(input), "gzip", kLimit);
  hold(read.body.size() <= kLimit, "no more comes out than the limit allows");
  hold(read.state == Decoding::done || read.body.empty(), "only a whole body is given");
  if (read.state == Decoding::done) {
    hold(net::decode_body(std::string(input) + "x", "gzip", kLimit).state == Decoding::broken,
         "a body with something after it is broken");
    hold(net::decode_body(std::string(input.substr(0, input.size() - 1)), "gzip", kLimit).state ==
             Decoding::broken,
         "a body that is cut short is broken");
  }
  const std::string packed = gzipped(input);
  const auto there_and_back = net::decode_body(packed, "x-gzip", input.size());
  hold(there_and_back.state == Decoding::done && there_and_back.body == input, "what was packed comes out");
  if (!input.empty()) {
    hold(net::decode_body(packed, "gzip", input.size() - 1).state == Decoding::too_large,
         "a byte more is too large");
  }
  (void)net::decode_body(std::string(input), input, kLimit);
}

}  // namespace collect::fuzz
