// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace collect::json {
namespace {

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + "1" + std::string(depth, ']');
}

std::string problem(std::string_view text) {
  const auto checked = check(text);
  return checked.ok() ? "" : checked.failure().message;
}

TEST(JsonCheck, AcceptsWhatEveryEngineStores) {
  for (const char* text :
       {"{}", "[]", "1", "\"x\"", "null",
        " {\"a\": [1, -2.5e3, true, false, null, \"\\u00e8\\ud83d\\ude80\"]} ", "9007199254740993",
        "123456789012345678901234567890", "[1e308, 1e-400, 0e9999, -0.0]",
        "{\"a\":123456789012345678901234567890123456789012345678901234567890}", "\"\\\\u0000\""}) {
    EXPECT_EQ(problem(text), "") << text;
  }
  EXPECT_EQ(problem("[" + std::string(400, '9') + "]"), "");
  EXPECT_EQ(problem(nested(kMaxDepth)), "");
}

TEST(JsonCheck, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(problem(""), "empty, expected a JSON value");
  EXPECT_EQ(problem("{\"a\":\"x\\u0000\"}"),
            "the character \\u0000 cannot be stored; it stands at line 1, column 8");
  EXPECT_EQ(problem("{\"a\":\n\"\\ud800 x\"}"), "half a surrogate pair (\\u escape) at line 2, column 2");
  EXPECT_EQ(problem("[\"\\udc00\"]"), "half a surrogate pair (\\u escape) at line 1, column 3");
  EXPECT_EQ(problem("{\"a\":1e400}"), "a number out of range (above 1e308) at line 1, column 6");
  EXPECT_EQ(problem("[1e-20000]"),
            "a number out of range (more than 16383 digits after the point) at line 1, column 2");
  for (const char* zero : {"[0e99999999999999]", "[0.0e-99999]", "[0.0e-16383]"})
    EXPECT_NE(problem(zero), "") << zero;
  EXPECT_EQ(problem("[0123456]"), "something that starts like a number and is none at line 1, column 2");
  EXPECT_EQ(problem("[\"\xff\"]"), "bytes that are not UTF-8 at line 1, column 3");
  EXPECT_EQ(problem(nested(kMaxDepth + 1)), "nesting deeper than 512 levels at line 1, column 513");
  for (const char* text :
       {"{", "{\"a\"}", "[1,]", "{} {}", "tru", "{\"a\":nul}", "\"abc", "[1 2]", "[\"\\x\"]", "\x01",
        "[\"\t\"]", "{\"a\":1,}", "NaN", "-", "[1.]", "[.5]", "[123456789012345678901234567890,]"}) {
    EXPECT_NE(problem(text), "") << text;
  }
  EXPECT_NE(problem("[" + std::string(140000, '9') + "]"), "");
  EXPECT_NE(problem("[0." + std::string(20000, '1') + "]"), "");
  EXPECT_NE(problem(nested(5000)), "");
  EXPECT_EQ(problem(std::string(kMaxDepth, '[') + std::string(kMaxDepth, ']')), "");
  EXPECT_EQ(problem(std::string(kMaxDepth + 1, '[') + std::string(kMaxDepth + 1, ']')),
            "nesting deeper than 512 levels at line 1, column 513");
}

// Brackets that nobody closes once walked the stack to its end, and the service with it.
TEST(JsonCheck, BracketsWithoutEndAreOnlyAMistake) {
  const std::string too_deep = "nesting deeper than 512 levels at line 1, column ";
  for (const std::string part : {"[", "{\"a\":", "[{\"a\":", "[1,"}) {
    std::string text;
    while (text.size() < 1'000'000) text += part;
    EXPECT_THAT(problem(text), testing::StartsWith(too_deep));
    EXPECT_THAT(problem(text + "tru"), testing::StartsWith(too_deep));
  }
  const std::string open(2'000'000, '[');
  EXPECT_EQ(problem(open + std::string(open.size() - 1, ']') + "}"), too_deep + "513");
  EXPECT_EQ(problem(R"(\")" + open), "not JSON: something unexpected, at line 1, column 1");
  EXPECT_THAT(problem(R"([\",)" + open), testing::HasSubstr("not JSON"));
  EXPECT_EQ(problem(std::string(100, '[')), "not JSON: something unexpected, at line 1, column 101");
}

TEST(JsonDocument, KeepsEveryDigitAndResolvesDuplicates) {
  const auto document = Document::parse(
      R"({"n": 9007199254740993, "f": 1.50, "a": 1, "a": {"x": null}, "s": "\u00e8\"", "é\n": [ ]})");
  ASSERT_TRUE(document.ok());
  const Value& root = document->root();
  EXPECT_EQ(root.find("n")->text, "9007199254740993");
  EXPECT_EQ(root.find("f")->text, "1.50");
  EXPECT_TRUE(root.at({"a", "x"})->is_null());
  EXPECT_EQ(root.find("s")->text, "è\"");
  EXPECT_EQ(root.find("missing"), nullptr);
  EXPECT_EQ(to_text(root), R"({"a":{"x":null},"f":1.50,"n":9007199254740993,"s":"è\"","é\n":[]})");
}

TEST(JsonDocument, ReadsScalarRoots) {
  EXPECT_EQ(to_text(Document::parse(" 12 ")->root()), "12");
  EXPECT_EQ(to_text(Document::parse("\"a\\nb\"")->root()), "\"a\\nb\"");
  EXPECT_EQ(to_text(Document::parse("null")->root()), "null");
  EXPECT_EQ(to_text(Document::parse("true")->root()), "true");
  EXPECT_EQ(to_text(Document::parse("false\t\t")->root()), "false");
  EXPECT_EQ(to_text(Document::parse(" null \r\n\r\n")->root()), "null");
}

TEST(JsonEqual, ComparesNumbersExactly) {
  EXPECT_TRUE(equal_numbers("1", "1.0"));
  EXPECT_TRUE(equal_numbers("1e2", "100"));
  EXPECT_TRUE(equal_numbers("-0.0", "0"));
  EXPECT_TRUE(equal_numbers("-0", "0"));
  EXPECT_TRUE(equal_numbers("12300e-2", "123"));
  EXPECT_FALSE(equal_numbers("9007199254740993", "9007199254740992"));
  EXPECT_FALSE(equal_numbers("9007199254740993.0", "9007199254740992"));
  EXPECT_FALSE(equal_numbers("1", "-1"));
  EXPECT_FALSE(equal_numbers("0.1", "0.10000000000000000001"));
}

TEST(JsonEqual, ComparesTrees) {
  const auto a = Document::parse(R"({"a":[1,{"b":2.0}],"c":"x"})");
  const auto b = Document::parse(R"({"c":"\u0078", "a":[1.0,{"b":2}]})");
  const auto c = Document::parse(R"({"a":[1,{"b":null}],"c":"x"})");
  EXPECT_TRUE(equal(a->root(), b->root()));
  EXPECT_FALSE(equal(a->root(), c->root()));
}

TEST(JsonRaw, GivesEachValueAsWritten) {
  const std::string text = R"( {"a" : { "x": [1, 2 ] } , "b":1.0 ,"c":"s\n", "a":[ ] } )";
  const auto members = raw_members(text);
  ASSERT_TRUE(members.ok());
  ASSERT_EQ(members->size(), 4U);
  EXPECT_EQ((*members)[0].text, "{ \"x\": [1, 2 ] }");
  EXPECT_EQ((*members)[1].text, "1.0");
  EXPECT_EQ((*members)[2].text, "\"s\\n\"");
  EXPECT_EQ((*members)[3].key, "a");
  EXPECT_EQ((*members)[3].text, "[ ]");
  EXPECT_FALSE(raw_members("[1]").ok());
  EXPECT_FALSE(raw_members("").ok());
  EXPECT_FALSE(raw_members("\x01\x02").ok());
}

TEST(JsonWrite, EscapesAndNests) {
  Writer writer;
  writer.begin_object()
      .member("a\"", "x\n\x01è")
      .key("list")
      .begin_array()
      .value(1)
      .value(true)
      .value(nullptr);
  writer.end_array().member("none", std::optional<std::string>{}).key("raw").raw("{\"k\":1}").end_object();
  EXPECT_EQ(writer.text(),
            "{\"a\\\"\":\"x\\n\\u0001è\",\"list\":[1,true,null],\"none\":null,\"raw\":{\"k\":1}}");
  EXPECT_EQ(quote("\xff"), "\"\xEF\xBF\xBD\"");
}

TEST(JsonNumbers, ConvertAsFarAsTheyFit) {
  EXPECT_EQ(to_int64("42"), 42);
  EXPECT_EQ(to_int64("42.0"), std::nullopt);
  EXPECT_DOUBLE_EQ(to_double("-2.5e1"), -25.0);
  EXPECT_EQ(to_double("1e-500"), 0.0);
  EXPECT_GT(to_double(std::string(400, '9')), 1e308);
}

TEST(JsonDocument, ContainersBelowTheRootKeepTheirText) {
  const auto document = Document::parse(R"( {"a": { "x" : [1, 2 ] } , "b":[ ],"c":{"d":{}}} )");
  ASSERT_TRUE(document);
  const Value& root = document->root();
  EXPECT_EQ(root.text, "");
  EXPECT_EQ(root.find("a")->text, R"({ "x" : [1, 2 ] })");
  EXPECT_EQ(root.at({"a", "x"})->text, "[1, 2 ]");
  EXPECT_EQ(root.find("b")->text, "[ ]");
  EXPECT_EQ(root.at({"c", "d"})->text, "{}");
  // Written in another way, they are as equal as ever.
  EXPECT_TRUE(equal(*root.find("a"), *Document::parse(R"([{"x":[1,2.0]}])")->root().elements.data()));
}

TEST(JsonDocument, EndsWhereItsValueEnds) {
  EXPECT_FALSE(Document::parse_checked(R"({"a":1},"data":{"b":2})"));
  EXPECT_FALSE(Document::parse_checked("[1] []"));
  EXPECT_TRUE(Document::parse_checked("[1] \n"));
}

}  // namespace
}  // namespace collect::json
