// SPDX-License-Identifier: Apache-2.0
// AlertHistoryStore.
#include "contract/store_contract.h"

namespace collect::test {
namespace {

using alertmanager::HistoryEntry;

class AlertHistoryContract : public StoreContract {
 protected:
  static HistoryEntry entry(const std::string& system_key, const std::string& alertname, std::int64_t ends) {
    HistoryEntry made;
    made.system_key = system_key;
    made.alertname = alertname;
    made.severity = "critical";
    made.status = "resolved";
    made.fingerprint = "00ff";
    made.starts_at = at(10);
    made.ends_at = at(ends);
    made.summary = "it's \"over\"";
    made.labels = R"({"alertname":"X","n":"è"})";
    made.annotations = R"({"summary":"s"})";
    made.receiver = "collect";
    if (alertname == "LinkFailed") made.same = HistoryEntry::Same::outage;
    return made;
  }
  void write(const std::vector<HistoryEntry>& entries, std::int64_t now) {
    ASSERT_TRUE(succeeded(stores_.alert_history.write(entries, at(now))));
  }
  std::string count() { return sql("select count(*) from alert_history"); }
};
INSTANTIATE_TEST_SUITE_P(Engines, AlertHistoryContract, testing::ValuesIn(store_engines()), engine_name);

TEST_P(AlertHistoryContract, ARowSaysWhatTheAlertWas) {
  add_systems({"a"});
  write({entry("NETH-a", "DiskFull", 20)}, 30);
  EXPECT_EQ(sql("select system_key, organization_id, alertname, severity, status, fingerprint, summary, "
                "receiver from "
                "alert_history"),
            "NETH-a|org-1|DiskFull|critical|resolved|00ff|it's \"over\"|collect\n");
  EXPECT_TRUE(same_json(sql("select labels from alert_history"), R"({"alertname":"X","n":"è"})"));
  EXPECT_TRUE(same_json(sql("select annotations from alert_history"), R"({"summary":"s"})"));
  EXPECT_EQ(sql("select count(*) from alert_history where starts_at < ends_at and ends_at < created_at"),
            "1\n");
}

TEST_P(AlertHistoryContract, WhatIsNotKnownIsNull) {
  HistoryEntry bare;
  bare.system_key = "NETH-gone";
  bare.status = "resolved";
  bare.starts_at = at(10);
  write({bare, bare}, 30);
  EXPECT_EQ(sql("select system_key, organization_id, alertname, severity, fingerprint, ends_at, summary, "
                "receiver from "
                "alert_history"),
            "NETH-gone|||||||\n");
}

TEST_P(AlertHistoryContract, AWebhookThatComesAgainIsNoSecondRow) {
  add_systems({"a", "b"});
  const std::vector<HistoryEntry> both = {entry("NETH-a", "DiskFull", 20), entry("NETH-b", "DiskFull", 20)};
  write(both, 30);
  write(both, 31);
  EXPECT_EQ(count(), "2\n");
  auto other = both[0];
  other.fingerprint = "00fe";
  write({entry("NETH-a", "DiskFull", 21), entry("NETH-a", "CpuHot", 20), other}, 32);
  EXPECT_EQ(count(), "5\n");
}

TEST_P(AlertHistoryContract, AnOutageIsOneRowHoweverOftenItEnds) {
  add_systems({"a", "b"});
  write({entry("NETH-a", "LinkFailed", 20), entry("NETH-a", "LinkFailed", 25),
         entry("NETH-b", "LinkFailed", 20)},
        30);
  auto again = entry("NETH-a", "LinkFailed", 40);
  again.fingerprint = "00fe";
  again.summary = "later";
  write({again}, 50);
  EXPECT_EQ(count(), "2\n");
  EXPECT_EQ(sql("select fingerprint, summary from alert_history where system_key = 'NETH-a'"),
            "00fe|later\n");
  again.starts_at = at(11);
  write({again}, 60);
  EXPECT_EQ(count(), "3\n");
}

TEST_P(AlertHistoryContract, NothingToWriteIsWritten) {
  write({}, 10);
  EXPECT_EQ(count(), "0\n");
}

}  // namespace
}  // namespace collect::test
