// SPDX-License-Identifier: Apache-2.0
#include "systems/verdict_cache.h"

#include <gtest/gtest.h>

#include <string>

namespace collect::systems {
namespace {

using namespace std::chrono_literals;
using Kind = Verdict::Kind;

const Time kNow{1'700'000'000s};

VerdictCache::Key key(int i) {
  return sha256("credentials " + std::to_string(i));
}

std::shared_ptr<const System> system(int i, std::size_t name_bytes = 10) {
  System s;
  s.id = SystemId("id-" + std::to_string(i));
  s.system_key = "key-" + std::to_string(i);
  s.name = std::string(name_bytes, 'n');
  return std::make_shared<const System>(s);
}

void admit(VerdictCache& cache, int i, std::size_t name_bytes = 10) {
  const auto s = system(i, name_bytes);
  cache.put(key(i), Verdict::admitted(s), {s->system_key, s->id.text()}, kNow + 10min, cache.epoch());
}

void refuse(VerdictCache& cache, int i) {
  const std::string user = "nobody-" + std::to_string(i);
  cache.put(key(i), Verdict::refused(), {user, user}, kNow + 1min, cache.epoch());
}

TEST(VerdictCache, RemembersUntilItExpires) {
  VerdictCache cache({});
  EXPECT_EQ(cache.find(key(1), kNow).kind, Kind::unknown);
  admit(cache, 1);
  refuse(cache, 2);
  EXPECT_EQ(cache.find(key(1), kNow + 10min - 1us).system->system_key, "key-1");
  EXPECT_EQ(cache.find(key(2), kNow + 1min - 1us).kind, Kind::refused);
  EXPECT_EQ(cache.find(key(1), kNow + 10min).kind, Kind::unknown);
  EXPECT_EQ(cache.find(key(2), kNow + 1min).kind, Kind::unknown);
  EXPECT_EQ(cache.size().admitted + cache.size().refused + cache.size().admitted_bytes, 0U);
}

TEST(VerdictCache, ALaterVerdictReplacesTheEarlier) {
  VerdictCache cache({});
  refuse(cache, 1);
  admit(cache, 1);
  EXPECT_EQ(cache.find(key(1), kNow).kind, Kind::admitted);
  admit(cache, 1);
  refuse(cache, 1);
  EXPECT_EQ(cache.find(key(1), kNow).kind, Kind::refused);
  EXPECT_EQ(cache.size().admitted, 0U);
  EXPECT_EQ(cache.size().refused, 1U);
  EXPECT_EQ(cache.size().admitted_bytes, 0U);
}

TEST(VerdictCache, ForgetsByEitherName) {
  VerdictCache cache({});
  for (int i = 0; i < 3; ++i) admit(cache, i);
  refuse(cache, 3);
  cache.invalidate("key-0");
  cache.invalidate("id-1");
  cache.invalidate("nobody-3");
  cache.invalidate("key-unheard-of");
  EXPECT_EQ(cache.find(key(0), kNow).kind, Kind::unknown);
  EXPECT_EQ(cache.find(key(1), kNow).kind, Kind::unknown);
  EXPECT_EQ(cache.find(key(2), kNow).kind, Kind::admitted);
  EXPECT_EQ(cache.find(key(3), kNow).kind, Kind::unknown);
  cache.clear();
  EXPECT_EQ(cache.find(key(2), kNow).kind, Kind::unknown);
  EXPECT_EQ(cache.size().admitted_bytes, 0U);
}

TEST(VerdictCache, AVerdictFromBeforeAnInvalidationIsNotKept) {
  VerdictCache cache({});
  const std::uint64_t before = cache.epoch();
  cache.invalidate("key-1");
  cache.put(key(1), Verdict::admitted(system(1)), {"key-1", "id-1"}, kNow + 10min, before);
  EXPECT_EQ(cache.find(key(1), kNow).kind, Kind::unknown);
  const std::uint64_t again = cache.epoch();
  cache.clear();
  cache.put(key(1), Verdict::admitted(system(1)), {"key-1", "id-1"}, kNow + 10min, again);
  EXPECT_EQ(cache.find(key(1), kNow).kind, Kind::unknown);
}

TEST(VerdictCache, AFloodOfWrongPasswordsPushesNobodyOut) {
  VerdictCache cache({.admitted = 1600, .refused = 160});
  for (int i = 0; i < 100; ++i) admit(cache, i);
  for (int i = 1000; i < 11'000; ++i) refuse(cache, i);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(cache.find(key(i), kNow).kind, Kind::admitted);
  EXPECT_LE(cache.size().refused, 160U);
}

TEST(VerdictCache, TheLeastRecentlyUsedGoesFirst) {
  VerdictCache cache({.admitted = 160, .refused = 160});
  admit(cache, 0);
  for (int i = 1; i < 2000; ++i) {
    admit(cache, i);
    EXPECT_EQ(cache.find(key(0), kNow).kind, Kind::admitted);
  }
  EXPECT_LE(cache.size().admitted, 160U);
  EXPECT_EQ(cache.find(key(1), kNow).kind, Kind::unknown);
  EXPECT_EQ(cache.find(key(1999), kNow).kind, Kind::admitted);
}

TEST(VerdictCache, BytesAreBounded) {
  VerdictCache cache({.admitted = 100'000, .refused = 16, .admitted_bytes = 1U << 20U});
  for (int i = 0; i < 1000; ++i) admit(cache, i, 8000);
  EXPECT_LE(cache.size().admitted_bytes, 1U << 20U);
  EXPECT_GT(cache.size().admitted, 60U);
}

}  // namespace
}  // namespace collect::systems
