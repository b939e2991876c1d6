// SPDX-License-Identifier: Apache-2.0
// Bodies that must not get a 202, each with a sentence that says why, from a process that serves on.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <zlib.h>

#include <stdexcept>

#include "journey/appliance.h"

namespace collect::test {
namespace {

using testing::HasSubstr;

constexpr std::size_t kLimit = 10U << 20U;

std::string gzipped(const std::string& text) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("gzip");
  std::string out(deflateBound(&stream, text.size()), '\0');
  std::string in = text;  // zlib does not know const
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int end = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (end != Z_STREAM_END) throw std::runtime_error("gzip");
  return out;
}

// A valid inventory of exactly that many bytes.
std::string inventory_of(std::size_t bytes) {
  const std::string head = R"({"note":")";
  const std::string tail = R"("})";
  return head + std::string(bytes - head.size() - tail.size(), 'x') + tail;
}

class Refusals : public OnEachEngine {
 protected:
  // Whatever was sent: the same process still takes inventories.
  void TearDown() override {
    EXPECT_TRUE(service_.running());
    EXPECT_EQ(service_.pid(), pid_);
    box_.report(R"({"still":"here"})");
    EXPECT_EQ(service_.dead_letters(), 0U);
  }

  void expect_refused(int status, const std::string& words, const std::string& body,
                      const HttpHeaders& headers = {}) {
    const auto answer = box_.post(body, headers);
    const std::string shown = body.substr(0, 60);
    ASSERT_EQ(answer.status, status) << shown << "\n" << answer.body;
    const auto envelope = parsed(answer.body);
    EXPECT_EQ(text_of(envelope.root(), "code"), std::to_string(status)) << shown;
    EXPECT_THAT(text_of(envelope.root(), "message"), HasSubstr(words)) << shown;
  }

  RunningService service_{GetParam()};
  Appliance box_{service_, service_.new_system()};
  pid_t pid_ = service_.pid();
};
COLLECT_ON_EACH_ENGINE(Refusals);

TEST_P(Refusals, WhatIsNoJson) {
  expect_refused(400, "empty", "");
  expect_refused(400, "empty", "  \n ");
  expect_refused(400, "line 1, column", "{\"a\":");
  expect_refused(400, "line 1", "not json");
  expect_refused(400, "line 2", "{\"a\":1,\n\"b\":tru}");
  expect_refused(400, "line 1", R"({"a":1} {"b":2})");
  expect_refused(400, "line 1", R"({"a":NaN})");
  expect_refused(400, "UTF-8", "{\"a\":\"\xC3\x28\"}");
  expect_refused(400, "UTF-8", "{\"a\":\"\xED\xA0\x80\"}");
}

TEST_P(Refusals, WhatIsNoObject) {
  expect_refused(400, "object", "[]");
  expect_refused(400, "object", R"([{"a":1}])");
  expect_refused(400, "object", R"("x")");
  expect_refused(400, "object", "1");
  expect_refused(400, "object", "null");
  expect_refused(400, "empty", "{}");
  expect_refused(400, "empty", R"({"system_id":"x","timestamp":"2025-07-13T10:00:00Z","data":{}})");
}

TEST_P(Refusals, WhatNoDatabaseCanStore) {
  expect_refused(400, "\\u0000", R"({"a":"\u0000"})");
  expect_refused(400, "\\u0000", R"({"a\u0000b":1})");
  expect_refused(400, "surrogate", R"({"a":"\ud83d"})");
  expect_refused(400, "surrogate", R"({"a":"\ude00 first"})");
  expect_refused(400, "out of range", R"({"a":1e400})");
  expect_refused(400, "out of range", R"({"a":-1e999999999999})");
  expect_refused(400, "digits", R"({"a":)" + std::string(200000, '9') + "}");
}

TEST_P(Refusals, DeepNesting) {
  const auto nested = [](std::size_t levels) {
    return R"({"a":)" + std::string(levels, '[') + "1" + std::string(levels, ']') + "}";
  };
  expect_refused(400, "512", nested(5000));
  expect_refused(400, "512", nested(2000000));
  std::string objects;
  for (int i = 0; i < 5000; ++i) objects += R"({"a":)";
  expect_refused(400, "512", objects + "1" + std::string(5000, '}'));
  expect_refused(400, "512", nested(512));  // with the object around them one too many
  const std::string deepest = box_.report(nested(511));
  EXPECT_EQ(box_.receipt(deepest).status, "stored");
}

TEST_P(Refusals, TheLimitAndOneByteMore) {
  const std::string receipt = box_.report(inventory_of(kLimit));
  EXPECT_EQ(box_.receipt(receipt).status, "stored");
  const auto answer = box_.post(inventory_of(kLimit + 1));
  ASSERT_EQ(answer.status, 413) << answer.body;
  const auto envelope = parsed(answer.body);
  EXPECT_EQ(text_of(*envelope.root().find("data"), "max_size_bytes"), std::to_string(kLimit));
}

TEST_P(Refusals, AChunkedBodyOverTheLimit) {
  // The last chunk is missing on purpose: the limit ends it, not the sender.
  const auto answer =
      box_.http().request("POST", "/api/systems/inventory", "A00001\r\n" + inventory_of(kLimit + 1) + "\r\n",
                          {{"Transfer-Encoding", "chunked"}});
  ASSERT_EQ(answer.status, 413) << answer.body;
  EXPECT_EQ(text_of(*parsed(answer.body).root().find("data"), "max_size_bytes"), std::to_string(kLimit));
}

TEST_P(Refusals, Encodings) {
  const HttpHeaders gzip = {{"Content-Encoding", "gzip"}};
  const std::string stored = box_.accept(gzipped(R"({"packed":"yes"})"), gzip);
  box_.wait_processed({stored});
  EXPECT_EQ(box_.receipt(stored).status, "stored");
  const std::string same = box_.report(R"({"packed":"yes"})");
  EXPECT_EQ(box_.receipt(same).status, "unchanged") << "the document counts, not how it was packed";

  expect_refused(400, "gzip", "no gzip at all", gzip);
  expect_refused(400, "gzip", R"({"a":1})", gzip);
  const std::string whole = gzipped(R"({"a":"0123456789012345678901234567890123456789"})");
  expect_refused(400, "gzip", whole.substr(0, whole.size() - 9), gzip);
  expect_refused(400, "gzip", whole + "rest", gzip);
  std::string damaged = whole;
  damaged[whole.size() - 6] = static_cast<char>(~damaged[whole.size() - 6]);  // in the checksum
  expect_refused(400, "gzip", damaged, gzip);
  expect_refused(415, "br", R"({"a":1})", {{"Content-Encoding", "br"}});
  expect_refused(415, "deflate", R"({"a":1})", {{"Content-Encoding", "deflate"}});
}

TEST_P(Refusals, AGzipBomb) {
  const std::string bomb = gzipped(inventory_of(40U << 20U));
  ASSERT_LT(bomb.size(), 1U << 17U);
  const auto answer = box_.post(bomb, {{"Content-Encoding", "gzip"}});
  ASSERT_EQ(answer.status, 413) << answer.body;
  EXPECT_EQ(text_of(*parsed(answer.body).root().find("data"), "max_size_bytes"), std::to_string(kLimit));
}

TEST_P(Refusals, BigIntegersAndDoubledKeysAreKept) {
  const std::vector<std::string> numbers = {"9007199254740993", "1234567890123456789012345678901234567890",
                                            "0.1234567890123456789012345678901234567890"};
  box_.report(fmt::format(R"({{"serials":[{}],"twice":"first","twice":"last"}})", fmt::join(numbers, ",")));
  const auto latest = service_.cli_output({"inventory", "latest", box_.login().key, "--json"});
  for (const std::string& number : numbers) EXPECT_THAT(latest, HasSubstr(number));
  EXPECT_EQ(parsed(latest).root().at({"data", "twice"})->text, "last");
}

}  // namespace
}  // namespace collect::test
