// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "alerts/alert_json.h"
#include "alerts/dispatcher.h"
#include "app/commands.h"
#include "app/config_file.h"
#include "app/terminal.h"
#include "base/json.h"

namespace collect::app {
namespace {

using alerts::ListedAlert;
using alerts::ListedDelivery;
using alerts::ShownAlert;

constexpr std::size_t kForPeople = 50;
constexpr std::size_t kMessageWidth = 72;
constexpr std::size_t kErrorWidth = 60;
constexpr std::size_t kValueWidth = 400;

std::optional<std::size_t> limit_of(const AlertArguments& arguments) {
  if (arguments.all || (arguments.json && arguments.limit == 0)) return std::nullopt;
  return arguments.limit == 0 ? kForPeople : arguments.limit;
}

std::string minute(Time time) {
  return to_rfc3339(time).substr(0, 16);
}

// `not_found` when there is none.
Result<systems::System> system_named(backend::Engine& engine, const std::string& key_or_id) {
  auto login = engine.stores().systems.find(key_or_id);
  if (!login) return login.failure();
  if (!*login) return not_found(fmt::format("there is no system {}", key_or_id));
  return std::move((*login)->system);
}

Result<alerts::AlertFilter> filter_of(const AlertArguments& arguments, const Opened& opened) {
  alerts::AlertFilter filter;
  if (!arguments.system.empty()) {
    const auto system = system_named(*opened.engine, arguments.system);
    if (!system) return system.failure();
    filter.system_id = system->id;
  }
  if (!arguments.organization.empty()) {
    auto organization = organization_named(opened.engine->stores(), arguments.organization);
    if (!organization) return organization.failure();
    filter.organization_id = *std::move(organization);
  }
  if (!arguments.type.empty()) filter.alert_type = arguments.type;
  if (!arguments.severity.empty()) filter.least_severity = diff::parse_severity(arguments.severity);
  if (arguments.open || arguments.resolved) filter.resolved = arguments.resolved;
  if (!arguments.since.empty()) {
    const auto since = since_of(arguments.since, opened.clock->now());
    if (!since) return since.failure();
    filter.since = *since;
  }
  filter.limit = limit_of(arguments);
  return filter;
}

// Leaves the object open.
std::string alerts_table(const std::vector<ListedAlert>& listed) {
  if (listed.empty()) return "No alerts.\n";
  Table table({"id", "when (UTC)", "severity", "system", "state", "message"});
  for (const ListedAlert& each : listed) {
    const auto severity = diff::to_string(each.alert.severity);
    table.add(
        {{std::to_string(static_cast<std::int64_t>(each.alert.id))},
         {minute(each.alert.created_at), Colour::dim},
         {std::string(severity), severity_colour(severity)},
         {each.system_name.empty() ? each.system_key : each.system_name},
         {each.alert.is_resolved ? "resolved" : "open", each.alert.is_resolved ? Colour::dim : Colour::none},
         {shortened(each.alert.message, kMessageWidth)}});
  }
  return table.text();
}

void write(json::Writer& writer, const ListedDelivery& delivery) {
  const auto time = [](const std::optional<Time>& at) {
    return at ? std::optional(to_rfc3339(*at)) : std::nullopt;
  };
  writer.begin_object().member("id", delivery.id).member("channel", delivery.channel);
  writer.member("organization_id", delivery.organization_id.text()).key("system_id");
  delivery.system_id ? writer.value(delivery.system_id->text()) : writer.value(nullptr);
  writer.member("state", to_string(delivery.state)).member("attempts", delivery.attempts);
  writer.key("error");
  delivery.error.empty() ? writer.value(nullptr) : writer.value(delivery.error);
  writer.member("notifications", static_cast<std::uint64_t>(delivery.notifications));
  writer.member("created_at", to_rfc3339(delivery.created_at));
  writer.member("next_attempt_at", time(delivery.next_attempt_at)).member("sent_at", time(delivery.sent_at));
  writer.end_object();
}

std::string deliveries_table(const std::vector<ListedDelivery>& deliveries) {
  if (deliveries.empty()) return "No deliveries.\n";
  Table table({"id", "when (UTC)", "channel", "about", "alerts", "state", "attempts", "error"});
  for (const ListedDelivery& each : deliveries) {
    const bool dead = each.state == alerts::DeliveryState::dead;
    table.add({{each.id},
               {minute(each.created_at), Colour::dim},
               {each.channel},
               {each.system_id ? each.system_id->text() : "several systems"},
               {std::to_string(each.notifications)},
               {std::string(to_string(each.state)), dead ? Colour::red : Colour::none},
               {std::to_string(each.attempts)},
               {shortened(each.error, kErrorWidth), Colour::dim}});
  }
  return table.text();
}

template <class Item>
std::string list_json(const std::vector<Item>& items) {
  json::Writer writer;
  writer.begin_array();
  for (const Item& item : items) write(writer, item);
  writer.end_array();
  return std::move(writer).text();
}

std::string alert_text(const ShownAlert& shown) {
  const alerts::Alert& alert = shown.alert;
  std::string text = alert.message + "\n\n";
  const auto line = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) text += fmt::format("  {:<12}{}\n", name, value);
  };
  line("alert", std::to_string(static_cast<std::int64_t>(alert.id)));
  line("severity", diff::to_string(alert.severity));
  line("type", alert.alert_type);
  line("system", shown.system_key + (shown.system_name.empty() ? "" : " " + shown.system_name));
  line("when", to_rfc3339(alert.created_at));
  line("state", alert.resolved_at ? "resolved " + to_rfc3339(*alert.resolved_at) : "open");
  line("rule", alert.rule);
  line("path", alert.field_path);
  if (!shown.type) return text;
  const auto value = [](const std::optional<std::string>& json) {
    return json ? shortened(*json, kValueWidth) : "nothing";
  };
  line("before", value(shown.previous_value));
  line("after", value(shown.current_value));
  return text;
}

Failure no_alert(std::int64_t id) {
  return not_found(fmt::format("there is no alert {}", id));
}

}  // namespace

Exit list_alerts(const AlertArguments& arguments) {
  auto opened = open_stores();
  if (!opened) return fail(opened.failure());
  const auto filter = filter_of(arguments, *opened);
  if (!filter) return fail(filter.failure());
  const auto listed = opened->engine->stores().alerts.list(*filter);
  if (!listed) return fail(listed.failure());
  fmt::print("{}", arguments.json ? list_json(*listed) + "\n" : alerts_table(*listed));
  if (!arguments.json && filter->limit && listed->size() == *filter->limit) {
    fmt::print("The newest {}; --all shows all.\n", *filter->limit);
  }
  return Exit::ok;
}

Exit show_alert(const AlertArguments& arguments) {
  auto opened = open_stores();
  if (!opened) return fail(opened.failure());
  const auto found = opened->engine->stores().alerts.find(alerts::AlertId{arguments.id});
  if (!found) return fail(found.failure());
  if (!*found) return fail(no_alert(arguments.id));
  if (arguments.json) {
    json::Writer writer;
    write(writer, **found);
    fmt::print("{}\n", writer.text());
    return Exit::ok;
  }
  fmt::print("{}", alert_text(**found));
  return Exit::ok;
}

Exit resolve_alert(const AlertArguments& arguments) {
  auto opened = open_stores();
  if (!opened) return fail(opened.failure());
  const auto resolved =
      opened->engine->stores().alerts.resolve(alerts::AlertId{arguments.id}, opened->clock->now());
  if (!resolved) return fail(resolved.failure());
  if (arguments.json) {
    fmt::print("{{\"id\":{},\"is_resolved\":true,\"was_open\":{}}}\n", arguments.id, *resolved);
  } else {
    fmt::print("Alert {} {}.\n", arguments.id, *resolved ? "is resolved" : "was resolved already");
  }
  return Exit::ok;
}

Exit test_channel(const AlertArguments& arguments) {
  auto opened = open_stores();
  if (!opened) return fail(opened.failure());
  const auto config = load_config(opened->settings);
  if (!config) return fail(config.failure());
  std::optional<systems::System> about;
  if (!arguments.system.empty()) {
    auto system = system_named(*opened->engine, arguments.system);
    if (!system) return fail(system.failure());
    about = std::move(*system);
  }
  const auto answer = alerts::send_test(config->notifications.channels(), arguments.channel, about,
                                        {opened->settings.mimir_url, *opened->clock});
  if (!answer) return fail(answer.failure());
  if (arguments.json) {
    json::Writer writer;
    writer.begin_object().member("channel", arguments.channel).member("answer", *answer).end_object();
    fmt::print("{}\n", writer.text());
  } else {
    fmt::print("{} took the test message: {}\n", arguments.channel, *answer);
  }
  return Exit::ok;
}

Exit list_deliveries(const AlertArguments& arguments) {
  auto opened = open_stores();
  if (!opened) return fail(opened.failure());
  const auto state = alerts::parse_delivery_state(arguments.state);
  constexpr auto kAll = static_cast<std::size_t>(1) << 40U;
  const auto listed = opened->engine->stores().notifications.list(state, limit_of(arguments).value_or(kAll));
  if (!listed) return fail(listed.failure());
  fmt::print("{}", arguments.json ? list_json(*listed) + "\n" : deliveries_table(*listed));
  return Exit::ok;
}

Exit retry_deliveries(const AlertArguments& arguments) {
  if (arguments.delivery.empty() && !arguments.all) {
    return fail(invalid("expected the id of a delivery, or --all"));
  }
  auto opened = open_stores();
  if (!opened) return fail(opened.failure());
  const auto id = arguments.all ? std::nullopt : std::optional(arguments.delivery);
  const auto retried = opened->engine->stores().notifications.retry(id, opened->clock->now());
  if (!retried) return fail(retried.failure());
  if (*retried == 0 && id) return fail(not_found(fmt::format("no delivery {} was given up", *id)));
  if (arguments.json) {
    fmt::print("{{\"retried\":{}}}\n", *retried);
  } else {
    fmt::print("{} given-up deliveries will be sent again.\n", *retried);
  }
  return Exit::ok;
}

}  // namespace collect::app
