// SPDX-License-Identifier: Apache-2.0
#include "operators/listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operators/answer.h"
#include "operators/cursor.h"

namespace collect::operators {
namespace {

using testing::HasSubstr;

constexpr std::string_view kColumns[] = {"n", "text"};

// The numbers 1 to `size`, whose cursors are they themselves.
Listing numbers(int size, std::vector<std::size_t>* asked = nullptr) {
  Listing listing;
  listing.name = "numbers";
  listing.message = "numbers";
  listing.columns = kColumns;
  listing.read = [size, asked](const From& from, std::size_t limit) -> Result<std::vector<Item>> {
    if (asked != nullptr) asked->push_back(limit);
    std::int64_t last = static_cast<std::int64_t>(from.skip);
    if (from.cursor) {
      const auto cursor = read_cursor(*from.cursor);
      if (!cursor) return cursor.failure();
      last = *cursor;
    }
    std::vector<Item> items;
    for (std::int64_t n = last + 1; n <= size && items.size() < limit; ++n) {
      items.push_back({"{\"n\":" + std::to_string(n) + ",\"text\":\"a,b\"}", std::to_string(n)});
    }
    return items;
  };
  listing.count = [size] { return Count{size, size < 1000}; };
  return listing;
}

std::string page_of(const Listing& listing, std::string_view query) {
  Parameters parameters(query);
  const Paging paging = read_paging(parameters);
  if (auto done = parameters.done(); !done) return done.failure().message;
  const auto page = page_json(listing, paging);
  return page ? *page : page.failure().message;
}

std::string exported(const Listing& listing, Format format) {
  const auto source = export_of(listing, format);
  std::string all;
  char buffer[7];
  for (;;) {
    const auto size = source->read(buffer);
    if (!size) return all + "FAILED " + size.failure().message;
    if (*size == 0) return all;
    all.append(buffer, *size);
  }
}

TEST(ListingTest, PagesByNumber) {
  EXPECT_EQ(
      page_of(numbers(5), "page=2&page_size=2"),
      R"({"numbers":[{"n":3,"text":"a,b"},{"n":4,"text":"a,b"}],"pagination":{"page":2,"page_size":2,)"
      R"("total_count":5,"total_count_exact":true,"total_pages":3,"has_next":true,"next_cursor":"4"}})");
  EXPECT_THAT(page_of(numbers(5), "page=3&page_size=2"), HasSubstr(R"("has_next":false,"next_cursor":null)"));
  EXPECT_THAT(page_of(numbers(5), "page=9&page_size=2"), HasSubstr(R"({"numbers":[],"pagination")"));
  EXPECT_THAT(page_of(numbers(4), "page=2&page_size=2"), HasSubstr(R"("has_next":false)"));
  EXPECT_THAT(page_of(numbers(0), ""), HasSubstr(R"("page":1,"page_size":50,"total_count":0)"));
  EXPECT_THAT(page_of(numbers(2000), ""), HasSubstr(R"("total_count_exact":false)"));
}

TEST(ListingTest, PagesByCursorWithoutCounting) {
  Listing listing = numbers(5);
  listing.count = []() -> Result<Count> { return internal("counted"); };
  EXPECT_THAT(
      page_of(listing, "cursor=3&page_size=1"),
      HasSubstr(R"([{"n":4,"text":"a,b"}],"pagination":{"page":null,"page_size":1,"total_count":null,)"
                R"("total_count_exact":null,"total_pages":null,"has_next":true,"next_cursor":"4")"));
  EXPECT_THAT(page_of(listing, "cursor=5"), HasSubstr(R"("has_next":false)"));
  EXPECT_EQ(page_of(listing, "cursor=x"), "cursor: expected what next_cursor said");
  EXPECT_EQ(page_of(listing, ""), "counted");
}

TEST(ListingTest, RefusesPagesThatAreNone) {
  for (const char* query : {"page=0", "page=-1", "page=x", "page_size=0", "page_size=101", "cursor=",
                            "page=1&cursor=3", "page=101&page_size=100", "page=10001&page_size=1"}) {
    EXPECT_THAT(page_of(numbers(5), query), HasSubstr("expected")) << query;
  }
  EXPECT_THAT(page_of(numbers(5), "page=100&page_size=100"), HasSubstr("\"numbers\":[]"));
}

TEST(ListingTest, AsksWhetherThereIsMoreWhereAPageMayEndEarly) {
  Listing listing = numbers(5);
  const auto all = listing.read;
  listing.read = [all](const From& from, std::size_t limit) {
    return all(from, std::min<std::size_t>(limit, 2));
  };
  listing.ends_early = true;
  EXPECT_THAT(page_of(listing, "cursor=1"), HasSubstr(R"("has_next":true,"next_cursor":"3")"));
  EXPECT_THAT(page_of(listing, "cursor=3"), HasSubstr(R"("has_next":false)"));
  EXPECT_EQ(exported(listing, Format::ndjson), exported(numbers(5), Format::ndjson));
}

TEST(ListingTest, ExportsEverythingALittleAtATime) {
  std::vector<std::size_t> asked;
  const std::string csv = exported(numbers(1000, &asked), Format::csv);
  EXPECT_TRUE(csv.starts_with("n,text\r\n1,\"a,b\"\r\n2,\"a,b\"\r\n"));
  EXPECT_TRUE(csv.ends_with("1000,\"a,b\"\r\n"));
  EXPECT_EQ(std::ranges::count(csv, '\n'), 1001);
  EXPECT_GE(asked.size(), 5U);
  const std::string lines = exported(numbers(401), Format::ndjson);
  EXPECT_TRUE(lines.starts_with("{\"n\":1,\"text\":\"a,b\"}\n{\"n\":2,"));
  EXPECT_EQ(std::ranges::count(lines, '\n'), 401);
  EXPECT_EQ(exported(numbers(0), Format::csv), "n,text\r\n");
  EXPECT_EQ(exported(numbers(0), Format::ndjson), "");

  Listing broken = numbers(1000);
  broken.read = [all = broken.read](const From& from, std::size_t limit) -> Result<std::vector<Item>> {
    if (from.cursor == "400") return unavailable("away");
    return all(from, limit);
  };
  EXPECT_TRUE(exported(broken, Format::ndjson).ends_with("{\"n\":400,\"text\":\"a,b\"}\nFAILED away"));
}

TEST(ListingTest, CsvKeepsWhatSpreadsheetsWouldRun) {
  constexpr std::string_view columns[] = {"a", "b", "c"};
  EXPECT_EQ(csv_line(R"({"a":"x","b":null,"c":-5})", columns), "x,,-5\r\n");
  EXPECT_EQ(csv_line(R"({"a":"say \"hi\"","b":"two\nlines","c":{"k":[1,2]}})", columns),
            "\"say \"\"hi\"\"\",\"two\nlines\",\"{\"\"k\"\":[1,2]}\"\r\n");
  EXPECT_EQ(csv_line(R"({"a":"=1+1","b":"-5","c":"@x,y"})", columns), "'=1+1,'-5,\"'@x,y\"\r\n");
  EXPECT_EQ(csv_line(R"({"c":true})", columns), ",,true\r\n");
}

TEST(ListingTest, FormatComesFromTheQueryOrFromAccept) {
  const auto format = [](std::string query, std::string_view accept) {
    net::RequestHead head;
    head.query = std::move(query);
    head.headers.add("Accept", accept);
    return format_of(head);
  };
  EXPECT_EQ(*format("", ""), Format::json);
  EXPECT_EQ(*format("", "*/*"), Format::json);
  EXPECT_EQ(*format("", "text/csv"), Format::csv);
  EXPECT_EQ(*format("", "text/html, Application/X-NDJSON;q=0.5 , application/json;q=0.4"), Format::ndjson);
  EXPECT_EQ(*format("", "application/json, text/csv"), Format::json);
  EXPECT_EQ(*format("", "text/csv;q=0"), Format::json);
  // Weights are numbers from 0 to 1, and nothing else is one.
  EXPECT_EQ(*format("", "text/csv;q=nan, application/x-ndjson;q=0.1"), Format::csv);
  EXPECT_EQ(*format("", "text/csv;q=1, application/x-ndjson;q=9"), Format::csv);
  EXPECT_EQ(*format("", "text/csv; seq=0; Q=0.7, application/x-ndjson;q=0.699"), Format::csv);
  EXPECT_EQ(*format("page=1&format=csv", "application/json"), Format::csv);
  EXPECT_EQ(*format("format=json", "text/csv"), Format::json);
  EXPECT_EQ(format("format=xml", "").failure().message,
            "format: expected one of json, csv, ndjson, got \"xml\"");
}

TEST(AnswerTest, KnowsWhatTheAskerHas) {
  net::RequestHead head;
  const net::Response first = found(head, "m", "{\"a\":1}");
  ASSERT_EQ(first.status, 200);
  ASSERT_EQ(first.headers.at(0).name, "ETag");
  const std::string etag = first.headers.at(0).value;
  for (const std::string& have : {etag, "W/" + etag, "\"x\", " + etag + " ,\"y\"", std::string("*")}) {
    net::RequestHead again;
    again.headers.add("If-None-Match", have);
    EXPECT_EQ(found(again, "m", "{\"a\":1}").status, 304) << have;
  }
  net::RequestHead other;
  other.headers.add("If-None-Match", "\"x\", W/\"y\"");
  EXPECT_EQ(found(other, "m", "{\"a\":1}").status, 200);
}

TEST(AnswerTest, SaysWhatFailedToThoseWhoCanHelpIt) {
  const net::RequestHead head;
  EXPECT_EQ(failed(head, invalid("page: expected")).status, 400);
  EXPECT_EQ(failed(head, not_found("there is no system")).status, 404);
  EXPECT_EQ(failed(head, unavailable("PostgreSQL on db7 is away")).status, 503);
  EXPECT_THAT(failed(head, unavailable("PostgreSQL on db7 is away")).body, testing::Not(HasSubstr("db7")));
  EXPECT_EQ(failed(head, internal("no such column")).status, 500);
  EXPECT_THAT(failed(head, internal("no such column")).body, testing::Not(HasSubstr("column")));
}

}  // namespace
}  // namespace collect::operators
