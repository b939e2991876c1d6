// SPDX-License-Identifier: Apache-2.0
// templates: the message language, which anybody who may post an alert may write in.
#include <algorithm>

#include "fuzz/fuzz.h"
#include "templates/template.h"

namespace collect::fuzz {
namespace {

using templates::Limits;
using templates::Template;
using templates::Values;

constexpr Limits kWide{.steps = 20'000, .depth = 50, .output_bytes = 8192};
constexpr Limits kNarrow{.steps = 300, .depth = 5, .output_bytes = 100};

void hold_plain(const Failure& failure) {
  hold(failure.kind == FailureKind::invalid, "what cannot be done is the template's fault");
  hold(std::none_of(failure.message.begin(), failure.message.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }),
       "a failure repeats no raw bytes");
}

}  // namespace

void run(std::string_view input) {
  const std::string_view text = take_part(input, '\xff');
  const Values values{{"alertname", "DiskFull"},
                      {"empty", ""},
                      {"number", "42"},
                      {"severity", "critical"},
                      {"template", std::string(text)},
                      {"value", std::string(input)}};
  const auto parsed = Template::parse(text);
  if (!parsed) return hold_plain(parsed.failure());
  const auto wide = parsed->render(values, kWide);
  if (!wide) hold_plain(wide.failure());
  const auto same = parsed->render(values, kWide);
  hold(same.ok() == wide.ok() && (!wide || *same == *wide), "a template always says the same");
  hold(!wide || wide->size() <= kWide.output_bytes, "a text keeps its limit");
  const auto narrow = parsed->render(values, kNarrow);
  hold(!narrow || (narrow->size() <= kNarrow.output_bytes && wide.ok() && *narrow == *wide),
       "a narrower limit cuts nothing: it holds or fails");
  if (text.find("{{") == std::string_view::npos) {
    hold(text.size() > kWide.output_bytes || (wide.ok() && *wide == text),
         "a text without actions is itself");
  }
}

}  // namespace collect::fuzz
