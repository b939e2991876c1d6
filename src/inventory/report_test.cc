// SPDX-License-Identifier: Apache-2.0
#include "inventory/report.h"

#include <gtest/gtest.h>

namespace collect::inventory {
namespace {

std::string document_of(std::string_view body) {
  const auto report = read_report(body);
  return report.ok() ? std::string(report->document) : "refused: " + report.failure().message;
}

TEST(Report, TakesARawInventoryAsItStands) {
  EXPECT_EQ(document_of(" {\"facts\": {\"a\": 1.0}}\n"), "{\"facts\": {\"a\": 1.0}}");
  EXPECT_EQ(document_of(R"({"data":{"a":1},"other":1})"), R"({"data":{"a":1},"other":1})");
  EXPECT_EQ(document_of(R"({"system_id":"x","timestamp":"y"})"), R"({"system_id":"x","timestamp":"y"})");
  EXPECT_EQ(document_of(R"({"data":[1]})"), R"({"data":[1]})");
}

TEST(Report, UnwrapsTheEnvelope) {
  const std::string body =
      R"({"system_id": "test", "timestamp": "2025-07-13T10:00:00Z", "data": {"os": {"name": "TestOS"}}})";
  const auto report = read_report(body);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->document, R"({"os": {"name": "TestOS"}})");
  EXPECT_EQ(to_rfc3339(*report->sender_time), "2025-07-13T10:00:00.000000Z");
  EXPECT_EQ(document_of(R"({"\u0064ata":{"a":1}})"), R"({"a":1})");
  EXPECT_EQ(document_of(R"({"data":{"a":1},"data":{"b":2}})"), R"({"b":2})");
  EXPECT_EQ(document_of(R"({"timestamp":null,"data":{"a":1}})"), R"({"a":1})");
}

TEST(Report, RefusesWithTheReason) {
  EXPECT_EQ(document_of(""), "refused: the body is empty, expected an inventory (a JSON object)");
  EXPECT_EQ(document_of(" \n"), "refused: the body is empty, expected an inventory (a JSON object)");
  EXPECT_EQ(document_of("[1]"), "refused: expected an inventory (a JSON object), got an array");
  EXPECT_EQ(document_of("\"x\""), "refused: expected an inventory (a JSON object), got a string");
  EXPECT_EQ(document_of("{ }"), "refused: the inventory is empty: {} says nothing about a system");
  EXPECT_EQ(document_of(R"({"data":{}})"), "refused: the inventory is empty: data is {}");
  EXPECT_EQ(document_of(R"({"timestamp":"soon","data":{"a":1}})"),
            "refused: timestamp: expected a time like 2026-01-02T03:04:05Z (RFC 3339), got \"soon\"");
  EXPECT_EQ(document_of(R"({"a":"\u0000"})"),
            "refused: inventory: the character \\u0000 cannot be stored; it stands at line 1, column 7");
}

}  // namespace
}  // namespace collect::inventory
