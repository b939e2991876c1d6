// SPDX-License-Identifier: Apache-2.0
// What a person sees of alerts: the command line's lists, and what arrived at a webhook.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "journey/service.h"
#include "support/webhook_receiver.h"

namespace collect::test {

// A row of `alerts list --json`.
struct AlertRow {
  std::int64_t id = 0;
  std::optional<std::int64_t> diff_id;
  std::string system_key;
  std::string rule;
  std::string type;
  std::string severity;
  std::string message;
  std::string path;
  bool resolved = false;
};
// `alerts list --all --json` with these flags too; oldest first.
std::vector<AlertRow> listed_alerts(const Service& service, const std::vector<std::string>& flags = {});

// What the `collect alerts list …` at the end of a message's text lists.
std::vector<AlertRow> alerts_as_told(const Service& service, const std::string& text);

// Waits until that many changes went through the rules since the start of the process.
bool wait_notified(const Service& service, std::size_t changes,
                   milliseconds timeout = std::chrono::seconds(30));

// An alert's id, and `firing` or `resolved`.
using News = std::pair<std::int64_t, std::string>;
// Under which delivery ids each was told.
using Told = std::map<News, std::set<std::string>>;
Told told_by(const std::vector<WebhookMessage>& messages);

// The news of these alerts: each fired, and some are resolved. Who is told that an alert is resolved need not
// have been told that it fired: a delivery that has both says how it is.
std::set<News> news_of(const std::vector<AlertRow>& alerts);
// Waits until all of that was taken by the receiver and nothing else is on its way; false when `timeout`
// passed first.
bool wait_told(const WebhookReceiver& receiver, const std::set<News>& news, milliseconds timeout);
// Adds a test failure when one of them is missing, something else was told, one was told under two delivery
// ids, a delivery lists an alert twice, or the receiver had a reason to complain.
void expect_each_told_once(const WebhookReceiver& receiver, const std::set<News>& news);

// A config.yml with that webhook as the only default channel; `keys` are those of `notifications`, two spaces
// deep, `sections` are others. Who has not answered for `timeout` is told again.
std::string config_with(const WebhookReceiver& receiver, const std::string& keys,
                        const std::string& sections = "", const std::string& timeout = "10s");
// Grouping and limits that hold nothing back, for config_with().
extern const std::string kNothingHeldBack;

void write_text(const std::filesystem::path& file, const std::string& text);

}  // namespace collect::test
