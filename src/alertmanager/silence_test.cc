// SPDX-License-Identifier: Apache-2.0
#include "alertmanager/silence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alertmanager/exact_json.h"

namespace collect::alertmanager {
namespace {

using testing::HasSubstr;

const Time kNow = *parse_rfc3339("2026-01-02T03:00:00Z");
constexpr auto kId = "018f4c2e-0000-7000-8000-000000000001";

Result<Silence> read(std::string_view text) {
  const auto parsed = parse_exact(text);
  EXPECT_TRUE(std::holds_alternative<json::Document>(parsed)) << text;
  return read_posted_silence(std::get<json::Document>(parsed).root(), "NETH-A", kNow);
}
std::string silence_with(std::string_view matchers, std::string_view more = "") {
  return R"({"matchers":[)" + std::string(matchers) +
         R"(],"startsAt":"2026-01-02T03:04:05Z","endsAt":"2026-01-02T04:04:05Z","createdBy":"me","comment":"c")" +
         std::string(more) + "}";
}
std::string posted(const std::string& text) {
  const auto silence = read(text);
  return silence ? to_posted_json(*silence) : "refused: " + silence.failure().message;
}

constexpr auto kOwn = R"({"name":"alertname","value":"X","isRegex":false})";

TEST(PostedSilence, GetsTheMatcherOfTheSystem) {
  EXPECT_EQ(
      posted(silence_with(kOwn, R"(,"more":1,"Matchers":[])")),
      R"({"matchers":[{"name":"alertname","value":"X","isRegex":false,"isEqual":true},)"
      R"({"name":"system_key","value":"NETH-A","isRegex":false,"isEqual":true}],)"
      R"("startsAt":"2026-01-02T03:04:05Z","endsAt":"2026-01-02T04:04:05Z","createdBy":"me","comment":"c"})");
}

TEST(PostedSilence, LosesItsOwnMatchersOnSystemKey) {
  const auto silence = read(silence_with(
      std::string(
          R"({"name":"system_key","value":".*","isRegex":true},{"name":"system_key","value":"NETH-B","isRegex":false},)") +
      kOwn + R"(,{"name":"system_key","value":"NETH-A","isRegex":false,"isEqual":false})"));
  ASSERT_TRUE(silence.ok());
  ASSERT_EQ(silence->matchers.size(), 2U);
  EXPECT_EQ(silence->matchers[1], matcher_of("NETH-A"));
}

TEST(PostedSilence, TheIdIsAUuidInLowerCase) {
  EXPECT_EQ(read(silence_with(kOwn, R"(,"id":"018F4C2E-0000-7000-8000-000000000001")"))->id, kId);
  EXPECT_EQ(read(silence_with(kOwn, R"(,"id":"")"))->id, "");
  EXPECT_EQ(read(silence_with(kOwn, R"(,"id":null)"))->id, "");
  EXPECT_THAT(posted(silence_with(kOwn, R"(,"id":"../x")")), HasSubstr("silence.id: expected a UUID"));
  EXPECT_THAT(posted(silence_with(kOwn, R"(,"id":7)")), HasSubstr("silence.id: expected a string"));
}

TEST(PostedSilence, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(posted("[]"), HasSubstr("silence: expected an object, got array"));
  EXPECT_THAT(posted("{}"), HasSubstr("silence.matchers: expected a list of matchers, got nothing"));
  EXPECT_THAT(posted(silence_with("")), HasSubstr("at least one matcher on another label"));
  EXPECT_THAT(posted(silence_with(R"({"name":"system_key","value":"NETH-A","isRegex":false})")),
              HasSubstr("at least one matcher on another label"));
  EXPECT_THAT(posted(silence_with(R"({"name":"a","value":"b"})")),
              HasSubstr("matchers[0].isRegex: expected true or false"));
  EXPECT_THAT(posted(silence_with(R"({"name":"a","value":"b","isRegex":"no"})")), HasSubstr("got string"));
  EXPECT_THAT(posted(silence_with(R"({"name":"a b","value":"b","isRegex":false})")), HasSubstr("a b"));
  EXPECT_THAT(posted(silence_with(R"({"name":"a","value":"(","isRegex":true})")),
              HasSubstr("regular expression"));
  EXPECT_THAT(posted(silence_with("7")), HasSubstr("matchers[0]: expected an object"));
  EXPECT_THAT(
      posted(R"({"matchers":[{"name":"a","value":"b","isRegex":false}],"startsAt":"2026-01-02T03:04:05Z"})"),
      HasSubstr("silence.endsAt: expected a time"));
  EXPECT_THAT(
      posted(
          R"({"matchers":[],"startsAt":"2026-01-02T03:04:05Z","endsAt":"2026-01-02T04:04:05Z","comment":"c"})"),
      HasSubstr("silence.createdBy: expected a string, got nothing"));
}

TEST(PostedSilence, TheTimesAreOnesThatCanBe) {
  const auto with = [](std::string_view start, std::string_view end) {
    return posted(std::string(R"({"matchers":[{"name":"a","value":"b","isRegex":false}],"startsAt":")") +
                  std::string(start) + R"(","endsAt":")" + std::string(end) +
                  R"(","createdBy":"","comment":""})");
  };
  EXPECT_THAT(with("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"), HasSubstr("endsAt to be after startsAt"));
  EXPECT_THAT(with("2026-01-01T03:04:05Z", "2026-01-02T02:59:59Z"), HasSubstr("not over"));
  EXPECT_THAT(with("2026-01-01T03:04:05Z", "2026-01-02T03:00:01Z"), HasSubstr("matchers"));
}

TEST(Silence, BelongsToWhomItsExactMatcherNames) {
  Silence silence;
  const auto belongs = [&silence](Matcher matcher) {
    silence.matchers = {{"alertname", "X", false, true}, std::move(matcher)};
    return belongs_to(silence, "NETH-A");
  };
  EXPECT_TRUE(belongs({"system_key", "NETH-A", false, true}));
  EXPECT_FALSE(belongs({"system_key", "NETH-B", false, true}));
  EXPECT_FALSE(belongs({"system_key", "NETH-A", true, true}));
  EXPECT_FALSE(belongs({"system_key", "NETH-A", false, false}));
  EXPECT_FALSE(belongs({"system_key", "neth-a", false, true}));
  EXPECT_FALSE(belongs({"System_key", "NETH-A", false, true}));
  EXPECT_FALSE(belongs({"system_key", "NETH-A ", false, true}));
}

}  // namespace
}  // namespace collect::alertmanager
