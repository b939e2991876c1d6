// SPDX-License-Identifier: Apache-2.0
// testdata/go119.json holds what Go 1.19's text/template made of each template over a map[string]string: its
// output, or whether parsing ("parse") or executing ("exec") it failed.
#include "templates/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "support/source_dir.h"

namespace collect::templates {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string read(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<Values> read_labels(const json::Value& list) {
  std::vector<Values> all;
  for (const auto& object : list.elements) {
    auto& labels = all.emplace_back();
    for (const auto& member : object.members) labels.emplace(member.key, member.value.text);
  }
  return all;
}

std::string text_of(const json::Value& test, std::string_view key) {
  const auto* value = test.find(key);
  return value == nullptr ? "" : std::string(value->text);
}

void expect_same(const json::Value& test, const std::vector<Values>& labels) {
  const auto text = text_of(test, "template");
  const auto error = text_of(test, "error");
  const auto parsed = Template::parse(text);
  EXPECT_EQ(parsed.ok(), error != "parse") << text << (parsed ? "" : "\n" + parsed.failure().message);
  if (!parsed) return;
  const auto& values = labels.at(static_cast<std::size_t>(*json::to_int64(text_of(test, "labels"))));
  const auto rendered = parsed->render(values);
  ASSERT_EQ(rendered.ok(), error != "exec") << text << (rendered ? "" : "\n" + rendered.failure().message);
  if (!rendered) return;
  EXPECT_EQ(*rendered, text_of(test, "output")) << text;
}

void expect_all_same(const std::string& path) {
  const auto document = json::Document::parse(read(path));
  ASSERT_TRUE(document.ok()) << document.failure().message;
  const auto labels = read_labels(*document->root().find("labels"));
  const auto& cases = document->root().find("cases")->elements;
  ASSERT_FALSE(cases.empty());
  for (const auto& test : cases) expect_same(test, labels);
}

TEST(Template, DoesWhatGoDoes) {
  expect_all_same(COLLECT_SOURCE_DIR "/src/templates/testdata/go119.json");
}

#ifdef COLLECT_TEMPLATE_SAMPLES
TEST(Template, DoesWhatGoDoesWithTheSamples) {
  expect_all_same(COLLECT_TEMPLATE_SAMPLES);
}
#endif

const Values kLabels = {{"severity", "critical"}, {"template", "{{.severity}}"}, {"raw", "a\xff\xC3"}};

// The text, or what failed.
std::string render(std::string_view text, const Values& values = kLabels, const Limits& limits = {}) {
  const auto parsed = Template::parse(text);
  if (!parsed) return "parse: " + parsed.failure().message;
  const auto rendered = parsed->render(values, limits);
  return rendered ? *rendered : "exec: " + rendered.failure().message;
}

TEST(Template, NeverRendersAValue) {
  EXPECT_EQ(render("{{.template}} {{printf \"%s\" .template}}"), "{{.severity}} {{.severity}}");
}

TEST(Template, OutlivesItsTextAndIsCopied) {
  auto text =
      std::make_unique<std::string>("{{define \"t\"}}[{{.}}]{{end}}{{template \"t\" \"x\"}}{{.severity}}");
  const auto first = *Template::parse(*text);
  text.reset();
  const auto second = first;  // NOLINT(performance-unnecessary-copy-initialization): the copy is tested
  EXPECT_EQ(*first.render(kLabels), "[x]critical");
  EXPECT_EQ(*second.render({{"severity", "low"}}), "[x]low");
}

// What JSON cannot carry as a case; the results are Go's too.
TEST(Template, TakesBytesThatAreNoCharacters) {
  EXPECT_EQ(render("\xff{{.raw}}\xff"),
            "\xff"
            "a\xff\xC3\xff");
  EXPECT_EQ(render("{{printf \"%q\" .raw}}"), "\"a\\xff\\xc3\"");
  EXPECT_EQ(render("{{printf \"%.2s|%5s\" .raw .raw}}"), "a\xff|  a\xff\xC3");
  EXPECT_EQ(render("{{\"\xff\"}}"), "\xEF\xBF\xBD");
  EXPECT_EQ(render("{{`\xff`}}"), "\xff");
  EXPECT_EQ(render("{{js .raw}}"), "a\xff\xC3");
  EXPECT_EQ(render("{{urlquery .raw}}"), "a%FF%C3");
  EXPECT_EQ(render("{{printf \"%\xff\" 1}}"), "%!\xEF\xBF\xBD(int=1)");
  EXPECT_THAT(render("{{.\xff}}"), StartsWith("parse"));
}

TEST(Template, TakesZeroBytes) {
  using std::string_literals::operator""s;
  EXPECT_EQ(render("a\0b"s), "a\0b"s);
  EXPECT_EQ(render("{{\"\\x00\" | html}}"), "\xEF\xBF\xBD");
  EXPECT_EQ(render("{{print \"\\x00\"}}"), "\0"s);
  EXPECT_THAT(render("{{\0}}"s), StartsWith("parse"));
}

TEST(Template, SaysTheLine) {
  EXPECT_THAT(render("a\n\n{{.x y}}"), StartsWith("parse: line 3: "));
  EXPECT_THAT(render("{{/*\n*/}}\n{{if}}"), StartsWith("parse: line 3: "));
  EXPECT_THAT(render("{{\n.severity.x}}"), StartsWith("exec: line 2: "));
  EXPECT_THAT(render("{{if 1}}\n{{template `x`}}{{end}}"), StartsWith("exec: line 2: "));
}

TEST(Template, KeepsTheSendersTextOutOfItsMessages) {
  for (const auto* text :
       {"{{secret}}", "{{\"secret", "{{.a-secret}}", "{{$secret}}", "{{template \"secret\"}}",
        "{{slice .severity \"secret\"}}", "{{.severity.secret}}"}) {
    EXPECT_THAT(render(text), HasSubstr("line 1")) << text;
    EXPECT_THAT(render(text), Not(HasSubstr("secret"))) << text;
  }
}

TEST(Template, FailsAsInvalid) {
  EXPECT_EQ(Template::parse("{{").failure().kind, FailureKind::invalid);
  EXPECT_EQ(Template::parse("{{len 1}}")->render({}).failure().kind, FailureKind::invalid);
}

TEST(Limits, EndAtTheirNumber) {
  const std::string loop = "{{range .}}{{.}}{{end}}";
  EXPECT_EQ(render(loop, {{"a", "1"}}, {.steps = 50}), "1");
  EXPECT_EQ(render(loop, {{"a", "1"}}, {.steps = 3}), "exec: line 1: more than 3 steps");
  EXPECT_EQ(render("abcd", {}, {.output_bytes = 4}), "abcd");
  EXPECT_EQ(render("abcd", {}, {.output_bytes = 3}), "exec: line 1: more than 3 bytes of text");
  EXPECT_EQ(render("{{printf \"%4d\" 1}}", {}, {.output_bytes = 4}), "   1");
  EXPECT_THAT(render("{{len (printf \"%5d\" 1)}}", {}, {.output_bytes = 4}), StartsWith("exec: line 1: "));
  const std::string deep =
      "{{define \"a\"}}{{template \"b\"}}{{end}}{{define \"b\"}}x{{end}}{{template \"a\"}}";
  EXPECT_EQ(render(deep, {}, {.depth = 2}), "x");
  EXPECT_EQ(render(deep, {}, {.depth = 1}), "exec: line 1: more than 1 templates deep");
}

std::string repeat(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(Limits, LeaveRoomForWhatPeopleWrite) {
  EXPECT_EQ(render(repeat("{{if .severity}}", 50) + "{{" + repeat("(", 50) + "1" + repeat(")", 50) + "}}" +
                   repeat("{{end}}", 50)),
            "1");
  EXPECT_EQ(render("{{if 0}}" + repeat("{{else if 0}}", 90) + "{{else}}x{{end}}"), "x");
}

struct Hostile {
  std::string text;
  std::string reason;
};

TEST(Limits, StopWhatIsHostile) {
  const auto ranges = [](const std::string& body) {
    return repeat("{{range $}}", 5) + body + repeat("{{end}}", 5);
  };
  const auto recursion = [&](const std::string& body) {
    return "{{define \"r\"}}" + body + "{{end}}{{template \"r\"}}";
  };
  const std::vector<Hostile> all = {
      {"{{" + repeat("(", 10'000) + "1" + repeat(")", 10'000) + "}}", "nesting"},
      {"{{" + repeat("(", 50'000), "nesting"},
      {"{{" + repeat("(print ", 5'000), "nesting"},
      {repeat("{{if 1}}", 3'000) + repeat("{{end}}", 3'000), "nesting"},
      {repeat("{{with 1}}", 5'000), "nesting"},
      {"{{if 0}}" + repeat("{{else if 0}}", 4'000) + "{{end}}", "nesting"},
      {repeat("{{block `b` .}}", 4'000), "nesting"},
      {recursion("{{template \"r\"}}"), "deep"},
      {recursion("{{template \"r\"}}{{template \"r\"}}"), "deep"},
      {recursion(repeat("{{if 1}}", 90) + "{{template \"r\"}}" + repeat("{{end}}", 90)), "nesting"},
      {"{{define \"a\"}}{{template \"b\"}}{{end}}{{define \"b\"}}{{template \"a\"}}{{end}}{{template \"a\"}}",
       "deep"},
      {ranges("a text"), "bytes of text"},
      {ranges(""), "steps"},
      {ranges("{{$x := printf \"%60000d\" 1}}"), "steps"},
      {ranges("{{if eq $.big $.big}}{{end}}"), "steps"},
      {ranges("{{$x := printf (slice $.big 0 30000)}}"), "steps"},
      {ranges("{{$x := html (slice $.big 0 1000)}}"), "steps"},
      {repeat("{{$x := 1}}", 5'000), "variables"},
      {repeat("{{$x := printf \"%60000d\" 1}}", 150), "steps"},
      {"{{printf \"%1000000d\" 1}}", "text"},
      {"{{printf \"%*s\" 1000000 \"x\"}}", "text"},
      {"{{printf \"%-1000000v\" .}}", "text"},
      {"{{printf \"%.1000000d\" 1}}", "text"},
      {"{{printf \"%.1000000U\" 1}}", "text"},
      {"{{printf \"%.1000000f\" 1.5}}", "text"},
      {"{{printf \"%.1000000e\" 1.5}}", "text"},
      {"{{printf \"%.1000000x\" 1.5}}", "text"},
      {"{{printf \"%#.1000000g\" 1.5}}", "text"},
      {"{{printf \"%01000000f\" 1.5}}", "text"},
      {"{{printf \"%01000000d\" -1}}", "text"},
      {"{{printf \"%x\" .big}}", "text"},
      {"{{printf \"%q\" .big}}", "text"},
      {"{{.big}}", "text"},
      {"{{html .big}}", "text"},
      {repeat("x", 70'000), "a template has at most"},
  };
  Values labels = {{"big", std::string(1 << 20, 'x')}};
  for (int i = 0; i < 50; ++i) labels["label" + std::to_string(i)] = "v";
  for (const auto& hostile : all) {
    const auto result = render(hostile.text, labels);
    EXPECT_THAT(result.substr(0, 200), HasSubstr(hostile.reason)) << hostile.text.substr(0, 100);
    EXPECT_TRUE(result.starts_with("parse: ") || result.starts_with("exec: ")) << hostile.text.substr(0, 100);
  }
}

TEST(Limits, LetALargePrecisionPassThatMakesLittle) {
  EXPECT_EQ(render("{{printf \"%.1000000s|%.1000000g\" .severity 1.5}}"), "critical|1.5");
}

}  // namespace
}  // namespace collect::templates
