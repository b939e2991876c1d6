// SPDX-License-Identifier: Apache-2.0
#include "net/content_encoding.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace collect::net {
namespace {

std::string gzip(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(ContentEncoding, InflatesGzip) {
  const std::string text(300000, 'x');
  const Decoded decoded = decode_body(gzip(text), "GZIP", 300000);
  EXPECT_EQ(decoded.state, Decoding::done);
  EXPECT_EQ(decoded.body, text);
  EXPECT_EQ(decode_body(gzip(""), "gzip", 10).state, Decoding::done);
  EXPECT_EQ(decode_body("plain", "", 5).body, "plain");
}

TEST(ContentEncoding, StopsAtTheLimit) {
  EXPECT_EQ(decode_body(gzip(std::string(300001, 'x')), "gzip", 300000).state, Decoding::too_large);
  EXPECT_EQ(decode_body(gzip(std::string(100U << 20U, 'x')), "gzip", 1U << 20U).state, Decoding::too_large);
  EXPECT_EQ(decode_body("123456", "identity", 5).state, Decoding::too_large);
}

TEST(ContentEncoding, RefusesWhatIsNoWholeGzip) {
  const std::string packed = gzip("hello");
  EXPECT_EQ(decode_body("hello", "gzip", 100).state, Decoding::broken);
  EXPECT_EQ(decode_body("", "gzip", 100).state, Decoding::broken);
  EXPECT_EQ(decode_body(packed.substr(0, packed.size() - 3), "gzip", 100).state, Decoding::broken);
  EXPECT_EQ(decode_body(packed + "x", "gzip", 100).state, Decoding::broken);
  EXPECT_EQ(decode_body(packed, "br", 100).state, Decoding::unsupported);
}

}  // namespace
}  // namespace collect::net
