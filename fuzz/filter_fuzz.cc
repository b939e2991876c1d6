// SPDX-License-Identifier: Apache-2.0
// alertmanager/matcher and alertmanager/scoped_query: filters of queries.
#include <algorithm>

#include "alertmanager/matcher.h"
#include "alertmanager/scoped_query.h"
#include "fuzz/alertmanager.h"
#include "net/http.h"

namespace collect::fuzz {
namespace {

using alertmanager::Matcher;

// What a query that goes upstream says about system_key.
void hold_scoped(std::string_view query) {
  std::size_t ours = 0;
  while (!query.empty()) {
    std::string_view parameter = take_part(query, '&');
    const std::string_view name = take_part(parameter, '=');
    if (name != "filter") continue;
    const auto text = net::percent_decoded(parameter);
    const auto matchers = alertmanager::parse_filter(text.value());
    hold(matchers.ok() && matchers->size() == 1, "a filter that is sent is one matcher");
    if (matchers->front().name != "system_key") continue;
    hold(matchers->front() == alertmanager::matcher_of(kKey), "a filter on the key is ours");
    ++ours;
  }
  hold(ours == 1, "there is one filter on the key");
}

void hold_query(std::string_view query, Result<std::string> (*scoped)(std::string_view, std::string_view)) {
  const auto sent = scoped(query, kKey);
  if (!sent) {
    hold(sent.failure().kind == FailureKind::invalid, "what is refused is the client's fault");
    return;
  }
  hold(std::all_of(sent->begin(), sent->end(), [](char c) { return c > ' ' && c < 0x7f && c != '#'; }),
       "a query that is sent is plain");
  hold_scoped(*sent);
  hold(scoped(*sent, kKey).value() == *sent, "a query that was scoped stays as it is");
}

}  // namespace

void run(std::string_view input) {
  if (const auto matchers = alertmanager::parse_filter(input)) {
    hold(!matchers->empty(), "a filter has a matcher");
    for (const Matcher& matcher : *matchers) {
      const std::string written = alertmanager::to_filter(matcher);
      const auto again = alertmanager::parse_filter(written);
      hold(again.ok() && again->size() == 1 && again->front() == matcher,
           "a matcher is read as it was written");
      const auto in_braces = alertmanager::parse_filter("{" + written + " , a=\"}\",}");
      hold(in_braces.ok() && in_braces->size() == 2 && in_braces->front() == matcher, "in braces, too");
    }
  }
  hold_query(input, &alertmanager::scoped_alerts_query);
  hold_query(input, &alertmanager::scoped_silences_query);
}

}  // namespace collect::fuzz
