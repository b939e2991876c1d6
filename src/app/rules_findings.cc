// SPDX-License-Identifier: Apache-2.0
#include "app/rules_findings.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/terminal.h"

namespace collect::app {
namespace {

constexpr std::size_t kExamples = 3;
constexpr std::size_t kGroups = 1000;  // the rest is counted in one
constexpr std::size_t kPathWidth = 64;
constexpr std::size_t kValueWidth = 32;
constexpr std::size_t kMessageWidth = 72;
constexpr std::string_view kOthers = "(others)";

std::string_view word_of(Fate fate) {
  switch (fate) {
    case Fate::same:
      return "same";
    case Fate::regraded:
      return "regraded";
    case Fate::added:
      return "new";
    case Fate::gone:
      return "gone";
    case Fate::unknown:
      break;
  }
  return "unknown";
}

// facts.modules.mail1.version and …mail2.version are one: facts.modules.*.version.
std::string pattern_of(std::string_view path) {
  std::string out;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    const auto segment = path.substr(begin, end - begin);
    const bool one_of_many = segment.find_first_of("0123456789") != std::string_view::npos;
    if (begin > 0) out += '.';
    out += one_of_many ? "*" : segment;
    begin = end + 1;
  }
  return out;
}

std::string minute(Time time) {
  std::string text = to_rfc3339(time).substr(0, 16);
  text[10] = ' ';
  return text;
}

std::string words_of(const diff::Change& change) {
  const auto value = [](const std::optional<std::string>& v) {
    return v ? short_value(*v, kValueWidth) : std::string("(none)");
  };
  return fmt::format("{}  {} → {}", shortened(change.field_path, kPathWidth), value(change.previous_value),
                     value(change.current_value));
}

}  // namespace

void RulesFindings::Tally::add(Fate fate) {
  switch (fate) {
    case Fate::same:
      ++same;
      return;
    case Fate::regraded:
      ++regraded;
      return;
    case Fate::added:
      ++added;
      return;
    case Fate::gone:
      ++gone;
      return;
    case Fate::unknown:
      ++unknown;
      return;
  }
}

RulesFindings::Tally& RulesFindings::Tally::operator+=(const Tally& other) {
  same += other.same;
  regraded += other.regraded;
  added += other.added;
  gone += other.gone;
  unknown += other.unknown;
  return *this;
}

const TrialListener& RulesFindings::listen(const systems::System& system) {
  ++systems_;
  const Place place{system.id.text(), system.system_key,
                    system.name.empty() ? system.system_key : system.name};
  listener_ = {[this](bool compared) {
                 ++records_;
                 if (!compared) ++not_compared_;
               },
               [this, place](TriedChange change) { add(place, std::move(change)); },
               [this, place](TriedAlert alert) { add(place, std::move(alert)); }};
  return listener_;
}

void RulesFindings::add(const Place& place, TriedChange change) {
  changes_.add(change.fate);
  if (change.fate == Fate::same || change.fate == Fate::unknown) return;
  std::string why = change.change.reason;
  if (change.fate == Fate::regraded) {
    why = fmt::format("was {} {}", change.was_severity, change.was_category);
  }
  group(change_groups_, change.fate, {change.change.category, pattern_of(change.change.field_path)},
        {place.system_name, change.at, words_of(change.change), std::move(why)});
  keep(change_lists_, place, std::move(change));
}

void RulesFindings::add(const Place& place, TriedAlert alert) {
  alerts_[alert.alert_type].add(alert.fate);
  if (alert.fate == Fate::same) return;
  std::string why = alert.fate == Fate::regraded ? fmt::format("was {}", alert.was_severity) : alert.reason;
  group(alert_groups_, alert.fate, {alert.alert_type, alert.severity},
        {place.system_name, alert.at, shortened(alert.message, kMessageWidth), std::move(why)});
  keep(alert_lists_, place, std::move(alert));
}

void RulesFindings::group(Groups& groups, Fate fate, std::pair<std::string, std::string> key,
                          Example example) const {
  auto found = groups.find({fate, key});
  if (found == groups.end()) {
    if (groups.size() >= kGroups) key = {"", std::string(kOthers)};
    found = groups.try_emplace({fate, std::move(key)}).first;
  }
  ++found->second.count;
  if (found->second.examples.size() < kExamples) found->second.examples.push_back(std::move(example));
}

template <class Item>
void RulesFindings::keep(std::map<Fate, List<Item>>& lists, const Place& place, Item item) const {
  auto& list = lists[item.fate];
  if (list.size() < limit_) list.emplace_back(place, std::move(item));
}

void RulesFindings::write(json::Writer& writer, const Tally& tally) {
  writer.member("same", tally.same).member("new_count", tally.added).member("gone_count", tally.gone);
  writer.member("regraded_count", tally.regraded).member("not_compared", tally.unknown);
}

void RulesFindings::write(json::Writer& writer, const Place& place, const TriedChange& tried) {
  const diff::Change& change = tried.change;
  writer.begin_object().member("system_id", place.system_id).member("system_key", place.system_key);
  writer.member("record_id", static_cast<std::int64_t>(tried.record_id))
      .member("created_at", to_rfc3339(tried.at));
  writer.member("diff_type", diff::to_string(change.type)).member("field_path", change.field_path);
  writer.member("category", change.category).member("severity", diff::to_string(change.severity));
  if (tried.fate == Fate::regraded) {
    writer.member("was_category", tried.was_category).member("was_severity", tried.was_severity);
  }
  writer.key("previous_value").raw(change.previous_value.value_or("null"));
  writer.key("current_value").raw(change.current_value.value_or("null"));
  writer.member("reason", change.reason).end_object();
}

void RulesFindings::write(json::Writer& writer, const Place& place, const TriedAlert& alert) {
  writer.begin_object().member("system_id", place.system_id).member("system_key", place.system_key);
  writer.member("record_id", static_cast<std::int64_t>(alert.record_id))
      .member("created_at", to_rfc3339(alert.at));
  writer.member("alert_type", alert.alert_type).member("rule", alert.rule);
  writer.member("severity", alert.severity);
  if (alert.fate == Fate::regraded) writer.member("was_severity", alert.was_severity);
  writer.member("message", alert.message).member("field_path", alert.field_path);
  writer.member("reason", alert.reason).end_object();
}

template <class Item>
void RulesFindings::write(json::Writer& writer, const std::map<Fate, List<Item>>& lists) {
  for (const Fate fate : {Fate::added, Fate::gone, Fate::regraded}) {
    writer.key(word_of(fate)).begin_array();
    if (const auto list = lists.find(fate); list != lists.end()) {
      for (const auto& [place, item] : list->second) write(writer, place, item);
    }
    writer.end_array();
  }
}

RulesFindings::Tally RulesFindings::all_alerts() const {
  Tally all;
  for (const auto& [type, tally] : alerts_) all += tally;
  return all;
}

std::string RulesFindings::json(std::string_view origin, Time since) const {
  json::Writer writer;
  writer.begin_object().member("config", origin).member("since", to_rfc3339(since));
  writer.member("systems", systems_).member("records", records_);
  writer.member("records_not_compared", not_compared_);
  writer.key("changes").begin_object();
  write(writer, changes_);
  write(writer, change_lists_);
  writer.end_object().key("alerts").begin_object();
  write(writer, all_alerts());
  writer.key("by_type").begin_object();
  for (const auto& [type, tally] : alerts_) {
    writer.key(type).begin_object();
    write(writer, tally);
    writer.end_object();
  }
  writer.end_object();
  write(writer, alert_lists_);
  writer.end_object().end_object();
  return std::move(writer).text();
}

std::string RulesFindings::tallies() const {
  Table table({"", "same", "new", "gone", "regraded"});
  const auto line = [&](const std::string& name, const Tally& tally, Colour colour = Colour::none) {
    const auto number = [](std::uint64_t n, Colour some) {
      return Table::Cell{std::to_string(n), n > 0 ? some : Colour::none};
    };
    table.add({{name, colour},
               {std::to_string(tally.same + tally.unknown)},
               number(tally.added, Colour::green),
               number(tally.gone, Colour::red),
               number(tally.regraded, Colour::yellow)});
  };
  line("changes", changes_);
  line("alerts", all_alerts());
  for (const auto& [type, tally] : alerts_) line("  " + type, tally, Colour::dim);
  return table.text();
}

std::string RulesFindings::groups_text(const Groups& groups, Fate fate, std::string_view heading) const {
  using Entry = Groups::value_type;
  std::vector<const Entry*> shown;
  for (const Entry& entry : groups) {
    if (entry.first.first == fate) shown.push_back(&entry);
  }
  if (shown.empty()) return "";
  std::ranges::stable_sort(shown, std::ranges::greater{}, [](const Entry* e) { return e->second.count; });
  std::string out = fmt::format("\n{}\n", coloured(heading, Colour::yellow));
  for (std::size_t i = 0; i < std::min(shown.size(), limit_); ++i) {
    const auto& [key, group] = *shown[i];
    const auto& [first, second] = key.second;
    Table line({});
    line.add({{fmt::format("{} ×", group.count)}, {first}, {shortened(second, kPathWidth)}});
    out += line.text("  ");
    Table examples({});
    for (const Example& example : group.examples) {
      examples.add(
          {{example.system}, {minute(example.at), Colour::dim}, {example.what}, {example.why, Colour::dim}});
    }
    out += examples.text("      ");
  }
  if (shown.size() > limit_) out += fmt::format("  and {} more kinds\n", shown.size() - limit_);
  return out;
}

std::string RulesFindings::text(std::string_view origin, Time since) const {
  std::string out = fmt::format("{} over {} records of {} systems since {} UTC. Nothing was written.\n\n",
                                origin, records_, systems_, minute(since));
  out += tallies();
  if (not_compared_ > 0) {
    out += fmt::format(
        "\n{} records could not be compared again, as the ones before them are no longer stored.\n"
        "What was told of those, {} changes, is taken as it is.\n",
        not_compared_, changes_.unknown);
  }
  out += groups_text(change_groups_, Fate::added, "New changes");
  out += groups_text(change_groups_, Fate::gone, "Changes that are gone");
  out += groups_text(change_groups_, Fate::regraded, "Changes with another category or severity");
  out += groups_text(alert_groups_, Fate::added, "New alerts");
  out += groups_text(alert_groups_, Fate::gone, "Alerts that are gone");
  out += groups_text(alert_groups_, Fate::regraded, "Alerts with another severity");
  return out;
}

}  // namespace collect::app
