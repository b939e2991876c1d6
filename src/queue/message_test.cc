// SPDX-License-Identifier: Apache-2.0
#include "queue/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"

namespace collect::queue {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const Time kNow = parse_rfc3339("2026-01-02T03:04:05.678901Z").value();

Message sample() {
  Message message;
  message.id = MessageId("0190b5a0-0000-7000-8000-000000000001");
  message.type = Stage::processing;
  message.system_id = SystemId("sys-1");
  message.data = "{ \"n\" : 12345678901234567890123 ,\"n\":1.0}";
  message.attempts = 2;
  message.max_attempts = 5;
  message.created_at = kNow;
  message.processed_at = kNow + std::chrono::seconds(1);
  message.error = "attempt 1 at x: no\nattempt 2 at y: \"quoted\"";
  return message;
}

std::string problem(std::string_view text) {
  const auto message = decode(text, 3);
  return message ? "" : message.failure().message;
}

TEST(Message, ComesBackAsItWas) {
  const Message sent = sample();
  const auto text = encode(sent);
  ASSERT_TRUE(json::check(text));
  const auto got = decode(text, 3);
  ASSERT_TRUE(got) << got.failure().message;
  EXPECT_EQ(got->id, sent.id);
  EXPECT_EQ(got->type, sent.type);
  EXPECT_EQ(got->system_id, sent.system_id);
  EXPECT_EQ(got->data, sent.data);
  EXPECT_EQ(got->attempts, 2);
  EXPECT_EQ(got->max_attempts, 5);
  EXPECT_EQ(got->created_at, sent.created_at);
  EXPECT_EQ(got->processed_at, sent.processed_at);
  EXPECT_EQ(got->error, sent.error);
  EXPECT_EQ(encode(*got), text);
}

// The way for what encode() wrote has to give what the general one gives; a blank leads there.
TEST(Message, IsReadAlikeInBothWays) {
  Message message = sample();
  message.processed_at.reset();
  message.error.reset();
  const std::string usual = encode(message);
  const std::string head = usual.substr(0, usual.find("\"data\":"));
  const std::string escaped = R"({"id":"0190b5a0-0000-7000-8000-000000000001","type":"inventory",)"
                              R"("system_id":"s\u0031","attempts":0,"max_attempts":3,)"
                              R"("created_at":"2026-01-02T03:04:05Z","processed_at":null,"error":null,)";
  for (const std::string& text :
       {usual, head + R"("data":{"a":1},"data":{"b":2}})", head + R"("data":{"a":{}},"error":"e","x":{}})",
        head + R"("data":{}})", head + R"("data":{"a":[}})", head + R"("data":{} })", head + R"("data":[{}])",
        head + "\"data\":{\"a\":\"\xff\"}}", escaped + R"("data":{}})"}) {
    const auto one = decode(text, 3);
    const auto other = decode("{ " + text.substr(1), 3);
    ASSERT_EQ(one.ok(), other.ok()) << text;
    if (one) {
      EXPECT_EQ(encode(*one), encode(*other)) << text;
    }
  }
  EXPECT_EQ(decode(head + R"("data":{"a":1},"data":{"b":2}})", 3)->data, R"({"b":2})");
}

TEST(Message, NeedsNothingButData) {
  const auto got = decode("{\"data\": {\"system_id\":\"s\", \"data\":{}}}", 7);
  ASSERT_TRUE(got) << got.failure().message;
  EXPECT_TRUE(is_uuid(got->id.text()));
  EXPECT_EQ(got->system_id.text(), "s");
  EXPECT_EQ(got->attempts, 0);
  EXPECT_EQ(got->max_attempts, 7);
  EXPECT_FALSE(got->error);
  EXPECT_EQ(decode("{\"data\": {\"system_id\":\"s\", \"data\":{}}}", 7)->id, got->id);
  EXPECT_NE(decode("{\"data\": {\"system_id\":\"t\", \"data\":{}}}", 7)->id, got->id);
}

TEST(Message, ReadsWhatOtherProgramsWrite) {
  const auto got = decode(
      R"({"id":"0190B5A0-0000-7000-8000-00000000000A","type":"inventory","system_id":"s\u0031","data":{"a":1},)"
      R"("attempts":1,"max_attempts":0,"created_at":"2026-01-02T04:04:05.678901234+01:00","processed_at":null,)"
      R"("error":"","priority":9})",
      3);
  ASSERT_TRUE(got) << got.failure().message;
  EXPECT_EQ(got->id.text(), "0190b5a0-0000-7000-8000-00000000000a");
  EXPECT_EQ(got->system_id.text(), "s1");
  EXPECT_EQ(got->created_at, kNow);
  EXPECT_EQ(got->max_attempts, 3);
  EXPECT_FALSE(got->processed_at);
  EXPECT_FALSE(got->error);
}

TEST(Message, MakesUuidsOfOtherIds) {
  const auto got = decode(R"({"id":"msg_17","data":{}})", 3);
  ASSERT_TRUE(got);
  EXPECT_TRUE(is_uuid(got->id.text()));
  EXPECT_EQ(decode(R"({"id":"msg_17","data":{"other":1}})", 3)->id, got->id);
}

TEST(Message, SaysWhatIsWrong) {
  EXPECT_THAT(problem("null"), HasSubstr("JSON object"));
  EXPECT_THAT(problem("{}"), HasSubstr("needs \"data\""));
  EXPECT_THAT(problem("{\"data\":null}"), HasSubstr("needs \"data\""));
  EXPECT_THAT(problem("\xff\x00binary"), StartsWith("a message has to be JSON"));
  EXPECT_THAT(problem(""), StartsWith("a message has to be JSON"));
  EXPECT_THAT(problem("{\"data\":{}} {}"), StartsWith("a message has to be JSON"));
  EXPECT_THAT(problem("{\"data\":{\"a\":\"\\u0000\"}}"), StartsWith("a message has to be JSON"));
  EXPECT_EQ(problem("{\"data\":[1]}"), "a message's \"data\" has to be an object, not [1]");
  EXPECT_EQ(problem("{\"data\":{},\"attempts\":\"1\"}"),
            "a message's \"attempts\" has to be an integer of at least 0, not \"1\"");
  EXPECT_THAT(problem("{\"data\":{},\"attempts\":-1}"), HasSubstr("\"attempts\""));
  EXPECT_THAT(problem("{\"data\":{},\"max_attempts\":1.5}"), HasSubstr("\"max_attempts\""));
  EXPECT_THAT(problem("{\"data\":{},\"type\":\"other\"}"), HasSubstr("\"type\""));
  EXPECT_THAT(problem("{\"data\":{},\"type\":1}"), HasSubstr("\"type\""));
  EXPECT_THAT(problem("{\"data\":{},\"id\":1}"), HasSubstr("\"id\""));
  EXPECT_THAT(problem("{\"data\":{},\"system_id\":{}}"), HasSubstr("\"system_id\""));
  EXPECT_THAT(problem("{\"data\":{},\"created_at\":\"yesterday\"}"), HasSubstr("\"created_at\""));
  EXPECT_THAT(problem("{\"data\":{},\"processed_at\":1}"), HasSubstr("\"processed_at\""));
  EXPECT_THAT(problem("{\"data\":{},\"error\":[]}"), HasSubstr("\"error\""));
}

TEST(Message, HoldsADocumentAsDeepAsTheDoorLetsIn) {
  const auto nested = [](std::size_t depth) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) text += "{\"a\":";
    text += "1";
    return text + std::string(depth, '}');
  };
  Message message = sample();
  message.data = R"({"system_id":"sys-1","data":)" + nested(json::kMaxDepth) + "}";
  const auto got = decode(encode(message), 3);
  ASSERT_TRUE(got) << got.failure().message;
  EXPECT_EQ(got->data, message.data);
  message.data = R"({"system_id":"sys-1","data":)" + nested(json::kMaxDepth + 1) + "}";
  EXPECT_FALSE(decode(encode(message), 3));
  message.data = R"({"system_id":"sys-1","data":)" + nested(json::kMaxDepth) + ",}";
  EXPECT_FALSE(decode(encode(message), 3));
}

TEST(SystemOf, IsFoundWithoutParsing) {
  EXPECT_EQ(system_of(encode(sample())), "sys-1");
  EXPECT_EQ(system_of(R"({"system_id"  :  "a b" , "system_id":"c"})"), "a b");
  EXPECT_EQ(system_of(R"({"data":{"system_id":"inner"}})"), "inner");
  EXPECT_EQ(system_of(R"({"system_id":null,"data":{"system_id":"inner"}})"), "");
  EXPECT_EQ(system_of(R"({"system_id")"), "");
  EXPECT_EQ(system_of(R"({"system_id":)"), "");
  EXPECT_EQ(system_of(R"({"system_id":"cut)"), "");
  EXPECT_EQ(system_of("\x01\x02"), "");
}

TEST(AfterFailure, KeepsEveryReason) {
  Message message = sample();
  message.attempts = 0;
  message.error.reset();
  message = after_failure(message, "first\nline", kNow);
  message = after_failure(message, "second", kNow + std::chrono::seconds(5));
  EXPECT_EQ(message.attempts, 2);
  EXPECT_EQ(message.processed_at, kNow + std::chrono::seconds(5));
  EXPECT_EQ(*message.error,
            "attempt 1 at 2026-01-02T03:04:05.678901Z: first line\n"
            "attempt 2 at 2026-01-02T03:04:10.678901Z: second");
}

TEST(AfterFailure, ACountThatCannotGrowStaysAtItsEnd) {
  const auto message = decode(R"({"data":{},"attempts":2147483647})", 3);
  ASSERT_TRUE(message.ok());
  EXPECT_EQ(after_failure(*message, "r", kNow).attempts, 2147483647);
}

TEST(DeadLetter, KeepsTheBytesAndTheReason) {
  const std::string bytes("\xff\x00{", 3);
  const auto binary = decode(dead_letter(bytes, Stage::processing, "no JSON", kNow), 3);
  ASSERT_TRUE(binary) << binary.failure().message;
  EXPECT_EQ(binary->data, "{\"base64\":\"/wB7\"}");
  EXPECT_EQ(binary->type, Stage::processing);
  EXPECT_EQ(*binary->error, "attempt 1 at 2026-01-02T03:04:05.678901Z: no JSON");

  const auto text = decode(dead_letter("nul\n\"l", Stage::inventory, "r", kNow), 3);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->data, R"({"text":"nul\n\"l"})");
  EXPECT_TRUE(is_uuid(text->id.text()));
}

TEST(DeadLetter, OfATextWithNulInItsSystemOrReasonCanBeReadAndRevived) {
  const std::string text("{\"system_id\": \"a\0b\"", 20);
  const std::string letter = dead_letter(text, Stage::inventory, std::string_view("nul \0 here", 10), kNow);
  const auto read = decode(letter, 3);
  ASSERT_TRUE(read.ok()) << read.failure().message;
  EXPECT_EQ(read->system_id.text(), "");
  EXPECT_THAT(*read->error, HasSubstr("nul   here"));
  EXPECT_EQ(revived(letter), text);
}

TEST(DeadLetter, OfAMessageKeepsItsIdentity) {
  const auto letter = decode(dead_letter(encode(sample()), Stage::processing, "three strikes", kNow), 3);
  ASSERT_TRUE(letter);
  EXPECT_EQ(letter->id, sample().id);
  EXPECT_EQ(letter->system_id, sample().system_id);
}

TEST(Message, ADeadLetterIsRevivedWithItsHistoryAndNoAttempts) {
  Message failed = after_failure(after_failure(sample(), "no such system", kNow), "still not", kNow);
  const auto again = decode(revived(encode(failed)), 3);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->attempts, 0);
  EXPECT_EQ(again->processed_at, std::nullopt);
  EXPECT_EQ(again->error, failed.error);
  EXPECT_EQ(again->data, failed.data);
  EXPECT_EQ(again->id, failed.id);
}

TEST(Message, WhatCouldNotBeReadIsRevivedByteForByte) {
  const std::string bytes("\0\xff no message", 14);
  EXPECT_EQ(revived(dead_letter(bytes, Stage::inventory, "no JSON", kNow)), bytes);
  EXPECT_EQ(revived(dead_letter(encode(sample()), Stage::inventory, "three strikes", kNow)),
            encode(sample()));
  EXPECT_EQ(revived("somebody else's"), "somebody else's");
}

}  // namespace
}  // namespace collect::queue
