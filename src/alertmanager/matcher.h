// SPDX-License-Identifier: Apache-2.0
// Alertmanager's matchers: in silences as JSON, in queries as text. Source of the syntax:
// https://github.com/prometheus/alertmanager/blob/v0.25.0/pkg/labels/parse.go. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace collect::alertmanager {

struct Matcher {
  std::string name;
  std::string value;
  bool is_regex = false;
  bool is_equal = true;
  bool operator==(const Matcher&) const = default;
};

// The one that keeps a request within a system.
Matcher matcher_of(std::string_view system_key);

// `invalid` unless the name is a label's and a regular expression is one (RE2 reads the same as Go); `where`
// begins the sentence.
Result<void> check_matcher(const Matcher& matcher, std::string_view where);

// name=value, name!="value", name=~"value", name!~value, or several of them in braces with commas between.
// White space around the parts means nothing; in values \\, \" and \n are escapes. Each is checked.
// `invalid`: anything that could be read in another way.
Result<std::vector<Matcher>> parse_filter(std::string_view text);

// The matcher as text, its value in quotes with escapes, which parse_filter() reads as the same.
std::string to_filter(const Matcher& matcher);

}  // namespace collect::alertmanager
