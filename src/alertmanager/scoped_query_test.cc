// SPDX-License-Identifier: Apache-2.0
#include "alertmanager/scoped_query.h"

#include <gtest/gtest.h>

namespace collect::alertmanager {
namespace {

constexpr auto kOurs = "filter=system_key%3D%22NETH-A%22";

std::string alerts(std::string_view query) {
  const auto scoped = scoped_alerts_query(query, "NETH-A");
  return scoped ? *scoped : "refused";
}

TEST(ScopedQuery, AlwaysAsksForTheSystem) {
  EXPECT_EQ(alerts(""), kOurs);
  EXPECT_EQ(*scoped_silences_query("", "NETH-A"), kOurs);
  EXPECT_EQ(*scoped_alerts_query("", "a\"b\\c"), "filter=system_key%3D%22a%5C%22b%5C%5Cc%22");
}

TEST(ScopedQuery, KeepsWhatAlertmanagerKnows) {
  EXPECT_EQ(
      alerts("active=true&silenced=false&inhibited=true&unprocessed=false&receiver=my.*"),
      std::string("active=true&silenced=false&inhibited=true&unprocessed=false&receiver=my.%2A&") + kOurs);
  EXPECT_EQ(alerts("filter=severity=critical&filter=job!~%22a%7Cb%22"),
            std::string("filter=severity%3D%22critical%22&filter=job%21~%22a%7Cb%22&") + kOurs);
  EXPECT_EQ(alerts("filter=a=b+c"), std::string("filter=a%3D%22b%20c%22&") + kOurs);
  EXPECT_EQ(*scoped_silences_query("filter=a%3Db&active=true&receiver=x", "NETH-A"),
            std::string("filter=a%3D%22b%22&") + kOurs);
}

TEST(ScopedQuery, DropsWhatItDoesNotKnow) {
  EXPECT_EQ(alerts("x=1&Filter=system_key%3Db&FILTER=a&filter[]=b&&=&y"), kOurs);
}

TEST(ScopedQuery, DropsFiltersThatNameSystemKeys) {
  for (const std::string filter :
       {"system_key=NETH-B", "system_key%3D%22NETH-B%22", "system_key=~.*", "system_key!=NETH-A",
        "%20system_key%20=x", "system_key%09!~%22%22", "%73ystem_key=B", "%7Bsystem_key=~%22.*%22%7D"}) {
    EXPECT_EQ(alerts("filter=" + filter), kOurs) << filter;
  }
  EXPECT_EQ(alerts(R"(filter={a="b",system_key=~".*"})"), std::string("filter=a%3D%22b%22&") + kOurs);
  EXPECT_EQ(alerts("filter=System_Key=B"), std::string("filter=System_Key%3D%22B%22&") + kOurs);
}

TEST(ScopedQuery, RefusesWhatItCannotRead) {
  for (const std::string query :
       {"filter=", "filter", "filter=a", "filter=%zz", "filter=a=%2", "active=maybe",
        "active=", "active=true&active=true", "filter=a=%ff", "filter=a=%00", "filter=a=~(", "receiver=(",
        "receiver=a&receiver=b", "filter=%22system_key%22=~.*", "filter=a=b%22,system_key=~%22.*"}) {
    EXPECT_EQ(alerts(query), "refused") << query;
  }
}

}  // namespace
}  // namespace collect::alertmanager
