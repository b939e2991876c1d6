// SPDX-License-Identifier: Apache-2.0
#include "alertmanager/silence.h"

#include <fmt/format.h>

#include <algorithm>

#include "alertmanager/fields.h"
#include "base/ids.h"

namespace collect::alertmanager {
namespace {

Result<Matcher> read_matcher(const json::Value& value, const std::string& where) {
  if (!value.is_object())
    return invalid(fmt::format("{}: expected an object, got {}", where, json::to_string(value.type)));
  Matcher matcher;
  auto name = Field(value, where, "name").text();
  if (!name) return name.failure();
  matcher.name = *std::move(name);
  auto text = Field(value, where, "value").text();
  if (!text) return text.failure();
  matcher.value = *std::move(text);
  const auto is_regex = Field(value, where, "isRegex").flag();
  if (!is_regex) return is_regex.failure();
  matcher.is_regex = *is_regex;
  const auto is_equal = Field(value, where, "isEqual").flag_or(true);
  if (!is_equal) return is_equal.failure();
  matcher.is_equal = *is_equal;
  return matcher;
}

Result<std::vector<Matcher>> read_matchers(const Field& field) {
  if (field.missing() || !field.value()->is_array()) return field.expected("a list of matchers");
  std::vector<Matcher> matchers;
  for (const json::Value& element : field.value()->elements) {
    auto matcher = read_matcher(element, fmt::format("{}[{}]", field.where(), matchers.size()));
    if (!matcher) return matcher.failure();
    matchers.push_back(*std::move(matcher));
  }
  return matchers;
}

// The members that a posted silence and a shown one have in common.
Result<Silence> read_common(const json::Value& value, std::string_view where) {
  if (!value.is_object())
    return invalid(fmt::format("{}: expected an object, got {}", where, json::to_string(value.type)));
  Silence silence;
  const Field id(value, where, "id");
  auto id_text = id.text_if_any();
  if (!id_text) return id_text.failure();
  if (*id_text && !(*id_text)->empty()) {
    auto known = silence_id(**id_text);
    if (!known) return invalid(id.where() + ": expected a UUID, got another text");
    silence.id = *std::move(known);
  }
  auto matchers = read_matchers(Field(value, where, "matchers"));
  if (!matchers) return matchers.failure();
  silence.matchers = *std::move(matchers);
  const auto starts_at = Field(value, where, "startsAt").time();
  if (!starts_at) return starts_at.failure();
  silence.starts_at = *starts_at;
  const auto ends_at = Field(value, where, "endsAt").time();
  if (!ends_at) return ends_at.failure();
  silence.ends_at = *ends_at;
  auto created_by = Field(value, where, "createdBy").text();
  if (!created_by) return created_by.failure();
  silence.created_by = *std::move(created_by);
  auto comment = Field(value, where, "comment").text();
  if (!comment) return comment.failure();
  silence.comment = *std::move(comment);
  return silence;
}

void write_common(json::Writer& w, const Silence& silence) {
  if (!silence.id.empty()) w.member("id", silence.id);
  w.key("matchers").begin_array();
  for (const Matcher& matcher : silence.matchers) {
    w.begin_object().member("name", matcher.name).member("value", matcher.value);
    w.member("isRegex", matcher.is_regex).member("isEqual", matcher.is_equal).end_object();
  }
  w.end_array();
  w.member("startsAt", time_text(silence.starts_at)).member("endsAt", time_text(silence.ends_at));
  w.member("createdBy", silence.created_by).member("comment", silence.comment);
}

}  // namespace

Result<Silence> read_posted_silence(const json::Value& root, std::string_view system_key, Time now) {
  auto silence = read_common(root, "silence");
  if (!silence) return silence;
  const Matcher ours = matcher_of(system_key);
  std::erase_if(silence->matchers, [&](const Matcher& matcher) { return matcher.name == ours.name; });
  if (silence->matchers.size() > kMostMatchers) {
    return invalid(fmt::format("silence.matchers: expected at most {} matchers, got {}", kMostMatchers,
                               silence->matchers.size()));
  }
  if (silence->matchers.empty())
    return invalid("silence.matchers: expected at least one matcher on another label than system_key");
  for (const Matcher& matcher : silence->matchers) {
    if (auto checked = check_matcher(matcher, "silence.matchers"); !checked) return checked.failure();
  }
  if (silence->ends_at <= silence->starts_at) return invalid("silence: expected endsAt to be after startsAt");
  if (silence->ends_at < now) return invalid("silence.endsAt: expected a time that is not over");
  silence->matchers.push_back(ours);
  return silence;
}

Result<Silence> read_silence(const json::Value& value, std::string_view where) {
  auto silence = read_common(value, where);
  if (!silence) return silence;
  if (silence->id.empty()) return Field(value, where, "id").expected("a UUID");
  const auto updated_at = Field(value, where, "updatedAt").time_if_any();
  if (!updated_at) return updated_at.failure();
  silence->updated_at = *updated_at;
  const Field status(value, where, "status");
  if (!status.missing()) {
    auto state = Field(*status.value(), status.where(), "state").text();
    if (!state) return state.failure();
    if (*state != "expired" && *state != "active" && *state != "pending")
      return invalid(status.where() + ".state: expected expired, active or pending, got another text");
    silence->state = *std::move(state);
  }
  return silence;
}

bool belongs_to(const Silence& silence, std::string_view system_key) {
  const Matcher ours = matcher_of(system_key);
  return std::find(silence.matchers.begin(), silence.matchers.end(), ours) != silence.matchers.end();
}

std::string to_posted_json(const Silence& silence) {
  json::Writer w;
  w.begin_object();
  write_common(w, silence);
  w.end_object();
  return std::move(w).text();
}

void write_shown(json::Writer& w, const Silence& silence) {
  w.begin_object();
  write_common(w, silence);
  if (silence.updated_at) w.member("updatedAt", time_text(*silence.updated_at));
  if (!silence.state.empty()) w.key("status").begin_object().member("state", silence.state).end_object();
  w.end_object();
}

std::optional<std::string> silence_id(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  if (!is_uuid(lower)) return std::nullopt;
  return lower;
}

}  // namespace collect::alertmanager
