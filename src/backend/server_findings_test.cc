// SPDX-License-Identifier: Apache-2.0
#include "backend/server_findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace collect::backend {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

postgres::ServerFacts good_postgres() {
  postgres::ServerFacts facts;
  facts.version = "15.18";
  facts.version_number = 150018;
  facts.synchronous_commit = "on";
  facts.encoding = "UTF8";
  facts.free_connections = 90;
  facts.database_bytes = 12U << 20U;
  return facts;
}

redis::ServerFacts good_redis() {
  redis::ServerFacts facts;
  facts.version = "7.0.15";
  facts.major_version = 7;
  facts.append_only = true;
  facts.append_fsync = "always";
  facts.maxmemory_policy = "noeviction";
  facts.used_memory = 3U << 20U;
  return facts;
}

// What is not well, as "warning: …" or "failure: …".
std::vector<std::string> troubles(const std::vector<Finding>& findings) {
  std::vector<std::string> out;
  for (const Finding& each : findings) {
    EXPECT_EQ(each.advice.empty(), each.state == State::ok) << each.found;
    if (each.state == State::warning) out.push_back("warning: " + each.found);
    if (each.state == State::failure) out.push_back("failure: " + each.found);
  }
  return out;
}

std::vector<std::string> troubles_with(void (*change)(postgres::ServerFacts&)) {
  auto facts = good_postgres();
  change(facts);
  return troubles(findings_of(facts, 10));
}

std::vector<std::string> troubles_with(void (*change)(redis::ServerFacts&)) {
  auto facts = good_redis();
  change(facts);
  return troubles(findings_of(facts));
}

TEST(ServerFindings, SayWhatTheServersAre) {
  EXPECT_EQ(findings_of(good_postgres(), 10).front().found, "PostgreSQL 15.18, 12 MiB");
  EXPECT_EQ(findings_of(good_redis()).front().found, "Redis 7.0.15, 3 MiB");
  EXPECT_THAT(troubles(findings_of(good_postgres(), 10)), IsEmpty());
  EXPECT_THAT(troubles(findings_of(good_redis())), IsEmpty());
}

TEST(ServerFindings, KnowWhatPostgresMustBe) {
  using Facts = postgres::ServerFacts;
  EXPECT_THAT(troubles_with([](Facts& f) { f.version_number = 140011; }),
              ElementsAre("failure: PostgreSQL 15.18"));
  EXPECT_THAT(troubles_with([](Facts& f) { f.standby = true; }),
              ElementsAre(HasSubstr("failure: this PostgreSQL is a standby")));
  EXPECT_THAT(troubles_with([](Facts& f) { f.encoding = "SQL_ASCII"; }),
              ElementsAre(HasSubstr("failure: the database's encoding is SQL_ASCII")));
  EXPECT_THAT(troubles_with([](Facts& f) { f.fsync = false; }),
              ElementsAre(HasSubstr("failure: a power cut may destroy")));
  EXPECT_THAT(troubles_with([](Facts& f) { f.full_page_writes = false; }),
              ElementsAre(HasSubstr("warning: a power cut may damage")));
  EXPECT_THAT(troubles_with([](Facts& f) { f.synchronous_commit = "off"; }),
              ElementsAre(HasSubstr("synchronous_commit off")));
  EXPECT_THAT(troubles_with([](Facts& f) { f.autovacuum = false; }),
              ElementsAre(HasSubstr("autovacuum off")));
  EXPECT_THAT(
      troubles_with([](Facts& f) { f.free_connections = 9; }),
      ElementsAre(HasSubstr("warning: PostgreSQL has 9 connections left, a process of Collect may want 10")));
}

TEST(ServerFindings, KnowWhatARedisKeeps) {
  using Facts = redis::ServerFacts;
  EXPECT_THAT(troubles_with([](Facts& f) { f.major_version = 6; }), ElementsAre("failure: Redis 7.0.15"));
  EXPECT_THAT(troubles_with([](Facts& f) { f.replica = true; }),
              ElementsAre(HasSubstr("failure: this Redis is a replica")));
  EXPECT_THAT(troubles_with([](Facts& f) { f.write_failing = true; }),
              ElementsAre(HasSubstr("failure: Redis could not write")));
  EXPECT_THAT(troubles_with([](Facts& f) { f.append_only = false; }),
              ElementsAre("warning: Redis does not write an append-only file"));
  EXPECT_THAT(troubles_with([](Facts& f) { f.append_only.reset(); }),
              ElementsAre(HasSubstr("warning: Redis does not tell")));
  EXPECT_THAT(troubles_with([](Facts& f) { f.append_fsync = "no"; }),
              ElementsAre(HasSubstr("warning: Redis leaves to the kernel")));
  EXPECT_THAT(troubles_with([](Facts& f) { f.append_fsync = "everysec"; }), IsEmpty());
  EXPECT_THAT(troubles_with([](Facts& f) { f.maxmemory_policy = "allkeys-lru"; }),
              ElementsAre(HasSubstr(
                  "may drop queued inventories when memory is short (maxmemory-policy allkeys-lru)")));
  EXPECT_THAT(troubles_with([](Facts& f) {
                f.maxmemory = 4U << 20U;
                f.used_memory = 7U << 19U;
              }),
              ElementsAre("warning: Redis uses 4 MiB of at most 4"));
  EXPECT_THAT(troubles_with([](Facts& f) { f.maxmemory = 4U << 20U; }), IsEmpty());
}

TEST(ServerFindings, CompareClocks) {
  EXPECT_EQ(clock_finding("Redis", 1500ms).state, State::ok);
  EXPECT_EQ(clock_finding("Redis", -1500ms).found, "the same as Redis's");
  EXPECT_EQ(clock_finding("Redis", -3s).found, "Redis's clock is 3.0 s behind this machine's");
  EXPECT_EQ(clock_finding("Redis", -3s).state, State::warning);
  EXPECT_EQ(clock_finding("PostgreSQL", 61s).found, "PostgreSQL's clock is 61.0 s ahead of this machine's");
  EXPECT_EQ(clock_finding("PostgreSQL", 61s).state, State::failure);
}

}  // namespace
}  // namespace collect::backend
