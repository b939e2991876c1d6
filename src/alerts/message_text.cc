// SPDX-License-Identifier: Apache-2.0
#include "alerts/message_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/markup.h"
#include "base/utf8.h"

namespace collect::alerts {
namespace {

constexpr std::size_t kMessageCharacters = 300;
constexpr std::size_t kSubjectCharacters = 120;
constexpr std::size_t kTypesListed = 10;

std::string cut(std::string_view text, std::size_t characters) {
  const auto prefix = utf8_prefix(text, characters);
  return prefix.size() == text.size() ? std::string(text) : std::string(prefix) + "…";
}

std::string name_of(const systems::System& system) {
  if (!system.name.empty()) return one_line(system.name);
  return one_line(system.fqdn && !system.fqdn->empty() ? *system.fqdn : system.system_key);
}

// "rl1 (NETH-1, rl1.example.org)"
std::string full_name_of(const systems::System& system) {
  const auto name = name_of(system);
  std::string rest = system.system_key == name ? "" : system.system_key;
  if (system.fqdn && !system.fqdn->empty() && one_line(*system.fqdn) != name)
    rest += (rest.empty() ? "" : ", ") + one_line(*system.fqdn);
  return rest.empty() ? name : fmt::format("{} ({})", name, rest);
}

// The message, after the system's name where it does not say that itself.
std::string with_name(const DeliveryItem& item) {
  const auto name = name_of(item.system);
  const auto message = one_line(item.alert.message);
  return message.find(name) == std::string::npos ? fmt::format("{}: {}", name, message) : message;
}

bool of_whole_fleet(const Delivery& delivery) {
  return delivery.organization_id.text() == kWholeFleet;
}

std::string organization_of(const Delivery& delivery) {
  if (of_whole_fleet(delivery)) return "the fleet";
  const auto& name = delivery.items.front().system.organization.name;
  return one_line(name.empty() ? delivery.organization_id.text() : name);
}

std::string minute_of(Time time) {
  const auto text = to_rfc3339(time);
  return fmt::format("{} {} UTC", text.substr(0, 10), text.substr(11, 5));
}

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string state_of(const DeliveryItem& item) {
  return std::string(item.news == News::resolved ? "resolved" : diff::to_string(item.alert.severity));
}

// "3 critical, 1 low"
std::string severities(const Digest& digest) {
  std::string out;
  for (const auto severity :
       {diff::Severity::critical, diff::Severity::high, diff::Severity::medium, diff::Severity::low}) {
    const auto count = digest.by_severity.at(static_cast<std::size_t>(severity));
    if (count > 0) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, diff::to_string(severity));
  }
  return out;
}

// "900 os_version, 100 certificate": the most frequent first.
std::string types(const Digest& digest) {
  std::vector<std::pair<std::size_t, std::string_view>> sorted;
  for (const auto& [type, count] : digest.by_type) sorted.emplace_back(count, type);
  std::stable_sort(sorted.begin(), sorted.end(), [](auto& a, auto& b) { return a.first > b.first; });
  std::string out;
  for (std::size_t i = 0; i < std::min(sorted.size(), kTypesListed); ++i)
    out += fmt::format("{}{} {}", i > 0 ? ", " : "", sorted[i].first, one_line(sorted[i].second));
  if (sorted.size() > kTypesListed) out += fmt::format(" and {} more kinds", sorted.size() - kTypesListed);
  return out;
}

// "2 alerts about rl1 (NETH-1) of Acme"; a summary, too, may be about one system only.
std::string headline(const Digest& digest) {
  const auto& delivery = digest.delivery;
  const auto count = counted(delivery.items.size(), "alert");
  const auto about =
      digest.systems > 1 ? counted(digest.systems, "system") : full_name_of(delivery.items.front().system);
  return fmt::format("{} about {} of {}", count, about, organization_of(delivery));
}

// Empty where nothing is to be said.
std::string_view hint(const Digest& digest) {
  if (!of_whole_fleet(digest.delivery) || digest.firing == 0) return "";
  return "Half of the fleet went silent at once: look at Collect's own network first.";
}

// How a person sees the ones that are not shown.
std::string command(const Digest& digest) {
  const auto& delivery = digest.delivery;
  if (of_whole_fleet(delivery)) return "collect alerts list --since " + to_rfc3339(digest.oldest);
  const auto whose = digest.systems > 1 ? "--org " + delivery.organization_id.text()
                                        : "--system " + delivery.items.front().system.system_key;
  return fmt::format("collect alerts list {} --since {}", whose, to_rfc3339(digest.oldest));
}

std::string where_and_when(const DeliveryItem& item) {
  const auto time = item.news == News::resolved ? item.alert.resolved_at.value_or(item.alert.updated_at)
                                                : item.alert.created_at;
  return (item.alert.field_path.empty() ? "" : one_line(item.alert.field_path) + ", ") + minute_of(time);
}

std::string html_row(const Digest& digest, const DeliveryItem& item) {
  const auto system = digest.kind == DeliveryKind::summary
                          ? fmt::format("<td>{}</td>", markup_escaped(full_name_of(item.system)))
                          : std::string();
  return fmt::format("<tr><td><b>{}</b></td>{}<td>{}<br><small>{}</small></td></tr>\n", state_of(item),
                     system, markup_escaped(one_line(item.alert.message)),
                     markup_escaped(where_and_when(item)));
}

}  // namespace

std::string_view to_string(DeliveryKind kind) {
  switch (kind) {
    case DeliveryKind::alerts:
      return "alerts";
    case DeliveryKind::summary:
      return "summary";
    case DeliveryKind::test:
      return "test";
  }
  return "alerts";
}

DeliveryKind kind_of(const Delivery& delivery) {
  if (delivery.items.front().alert.id == AlertId{}) return DeliveryKind::test;
  return delivery.summary ? DeliveryKind::summary : DeliveryKind::alerts;
}

Digest::Digest(const Delivery& of, std::size_t most_shown)
    : delivery(of),
      kind(kind_of(of)),
      shown(std::span(of.items).first(std::min(most_shown, of.items.size()))),
      more(of.items.size() - shown.size()),
      oldest(of.items.front().alert.created_at) {
  std::set<std::string_view> ids;
  for (const DeliveryItem& item : of.items) {
    ++(item.news == News::firing ? firing : resolved);
    ++by_severity.at(static_cast<std::size_t>(item.alert.severity));
    ++by_type[item.alert.alert_type];
    ids.insert(item.system.id.text());
    oldest = std::min(oldest, item.alert.created_at);
  }
  systems = ids.size();
}

std::string subject(const Digest& digest) {
  const auto& items = digest.delivery.items;
  const auto news = std::find_if(items.begin(), items.end(),
                                 [](const DeliveryItem& item) { return item.news == News::firing; });
  const DeliveryItem& first = news == items.end() ? items.front() : *news;
  const auto state = digest.kind == DeliveryKind::test ? "test" : state_of(first);
  if (digest.kind == DeliveryKind::summary)
    return fmt::format("[Collect] {}: {}", state, cut(headline(digest), kSubjectCharacters));
  const auto more = items.size() > 1 ? fmt::format(" (+{})", items.size() - 1) : "";
  return fmt::format("[Collect] {}: {}{}", state, cut(with_name(first), kSubjectCharacters), more);
}

std::string plain_text(const Digest& digest) {
  std::string out = headline(digest);
  if (!hint(digest).empty()) out += fmt::format("\n{}", hint(digest));
  if (digest.more > 0 || digest.kind == DeliveryKind::summary)
    out += fmt::format("\n{}; {}", severities(digest), types(digest));
  for (const DeliveryItem& item : digest.shown) {
    const auto message =
        digest.kind == DeliveryKind::summary ? with_name(item) : one_line(item.alert.message);
    out += fmt::format("\n- {}: {} ({})", state_of(item), message, where_and_when(item));
  }
  if (digest.more > 0) out += fmt::format("\nand {} more: {}", digest.more, command(digest));
  return out;
}

std::string html_text(const Digest& digest) {
  std::string out =
      "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"></head><body style=\"font-family:sans-serif\">\n";
  out += fmt::format("<h3>{}</h3>\n", markup_escaped(headline(digest)));
  if (!hint(digest).empty()) out += fmt::format("<p><b>{}</b></p>\n", markup_escaped(hint(digest)));
  if (digest.more > 0 || digest.kind == DeliveryKind::summary)
    out += fmt::format("<p>{}<br>{}</p>\n", severities(digest), markup_escaped(types(digest)));
  out += "<table cellpadding=\"6\" style=\"border-collapse:collapse;text-align:left;vertical-align:top\">\n";
  for (const DeliveryItem& item : digest.shown) out += html_row(digest, item);
  out += "</table>\n";
  if (digest.more > 0)
    out += fmt::format("<p>and {} more: <code>{}</code></p>\n", digest.more, markup_escaped(command(digest)));
  return out + "</body></html>\n";
}

std::string one_line(std::string_view message) {
  std::string out;
  for (std::string_view rest = utf8_prefix(message, kMessageCharacters); !rest.empty();) {
    const std::size_t length = utf8_length(rest);
    const bool blank = static_cast<unsigned char>(rest[0]) <= 0x20 || rest[0] == 0x7F;
    if (!blank) out += length == 0 ? "\xEF\xBF\xBD" : rest.substr(0, length);
    if (blank && !out.empty() && !out.ends_with(' ')) out += ' ';
    rest.remove_prefix(std::max<std::size_t>(1, length));
  }
  if (out.ends_with(' ')) out.pop_back();
  return utf8_count(message) > kMessageCharacters ? out + "…" : out;
}

}  // namespace collect::alerts
