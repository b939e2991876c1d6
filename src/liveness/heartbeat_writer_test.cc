// SPDX-License-Identifier: Apache-2.0
#include "liveness/heartbeat_writer.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/hash.h"
#include "liveness/fake_liveness_store.h"
#include "liveness/heartbeat_api.h"
#include "systems/fake_system_store.h"

namespace collect::liveness {
namespace {

using namespace std::chrono_literals;

const Time kNow{1'700'000'000s};
// Never by itself: the tests say when.
constexpr HeartbeatWriter::Options kByHand{.interval = 1h, .batch = 3};

SystemId id(int i) {
  return SystemId("system-" + std::to_string(i));
}

TEST(HeartbeatWriter, WritesOneHeartbeatPerSystemTheLatest) {
  FakeLivenessStore store;
  HeartbeatWriter writer(store, kByHand);
  writer.note(id(1), kNow + 2s);
  writer.note(id(1), kNow + 1s);
  writer.note(id(2), kNow);
  EXPECT_EQ(writer.waiting(), 2U);
  ASSERT_TRUE(writer.flush());
  ASSERT_EQ(store.batches.size(), 1U);
  ASSERT_EQ(store.batches[0].size(), 2U);
  EXPECT_EQ(store.last_heartbeat["system-1"], kNow + 2s);
  EXPECT_EQ(writer.waiting(), 0U);
  ASSERT_TRUE(writer.flush());
  EXPECT_EQ(store.batches.size(), 1U);  // nothing to write, nothing asked of the store
  EXPECT_EQ(writer.counters().noted, 3U);
  EXPECT_EQ(writer.counters().written, 2U);
}

TEST(HeartbeatWriter, BatchesAreBoundedAndInTheOrderOfIds) {
  FakeLivenessStore store;
  HeartbeatWriter writer(store, {.interval = 1h, .batch = 100});
  for (int i = 0; i < 99; ++i) writer.note(id(i * 7 % 99), kNow);
  ASSERT_TRUE(writer.flush());
  store.fail_with(unavailable("away"));
  for (int i = 0; i < 250; ++i) writer.note(id(i), kNow);
  EXPECT_FALSE(writer.flush());
  store.fail_with(std::nullopt);
  ASSERT_TRUE(writer.flush());
  ASSERT_EQ(store.batches.size(), 4U);
  EXPECT_EQ(store.batches[1].size(), 100U);
  EXPECT_EQ(store.batches[3].size(), 50U);
  for (const auto& batch : store.batches) {
    EXPECT_TRUE(std::is_sorted(batch.begin(), batch.end(), [](const Heartbeat& a, const Heartbeat& b) {
      return a.system_id < b.system_id;
    }));
  }
}

TEST(HeartbeatWriter, KeepsThemWhileTheStoreIsAway) {
  FakeLivenessStore store;
  store.fail_with(unavailable("away"));
  HeartbeatWriter writer(store, kByHand);
  writer.note(id(1), kNow);
  writer.note(id(2), kNow);
  EXPECT_EQ(writer.flush().failure().kind, FailureKind::unavailable);
  for (int i = 0; i < 100; ++i) writer.note(id(1), kNow + std::chrono::seconds(i));
  EXPECT_EQ(writer.waiting(), 2U);
  EXPECT_FALSE(writer.flush());
  store.fail_with(std::nullopt);
  ASSERT_TRUE(writer.flush());
  EXPECT_EQ(store.last_heartbeat["system-1"], kNow + 99s);
  EXPECT_EQ(store.last_heartbeat["system-2"], kNow);
}

TEST(HeartbeatWriter, DropsWhatWouldFailForEver) {
  FakeLivenessStore store;
  store.fail_with(internal("no such column"));
  HeartbeatWriter writer(store, kByHand);
  writer.note(id(1), kNow);
  EXPECT_TRUE(writer.flush());
  EXPECT_EQ(writer.waiting(), 0U);
  EXPECT_EQ(writer.counters().dropped, 1U);
}

TEST(HeartbeatWriter, WritesByItselfEachInterval) {
  FakeLivenessStore store;
  HeartbeatWriter writer(store, {.interval = 1ms, .batch = 100});
  writer.note(id(1), kNow);
  std::unique_lock lock(store.mutex);
  EXPECT_TRUE(store.written.wait_for(lock, 10s, [&] { return store.batches.size() == 1; }));
}

TEST(HeartbeatWriter, AFullBatchDoesNotWaitForTheInterval) {
  FakeLivenessStore store;
  HeartbeatWriter writer(store, kByHand);
  for (int i = 0; i < 3; ++i) writer.note(id(i), kNow);
  std::unique_lock lock(store.mutex);
  EXPECT_TRUE(store.written.wait_for(lock, 10s, [&] { return store.last_heartbeat.size() == 3; }));
}

TEST(HeartbeatWriter, WritesTheRestAtItsEnd) {
  FakeLivenessStore store;
  {
    HeartbeatWriter writer(store, kByHand);
    writer.note(id(1), kNow);
  }
  EXPECT_EQ(store.last_heartbeat.size(), 1U);
}

TEST(HeartbeatWriter, ManyThreadsLoseNothing) {
  FakeLivenessStore store;
  {
    HeartbeatWriter writer(store, {.interval = 1ms, .batch = 50});
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&writer, t] {
        for (int i = 0; i < 500; ++i) writer.note(id(t * 500 + i), kNow);
      });
    }
    for (auto& thread : threads) thread.join();
  }
  EXPECT_EQ(store.last_heartbeat.size(), 2000U);
}

TEST(HeartbeatApi, AcknowledgesAndNotes) {
  FakeLivenessStore store;
  HeartbeatWriter writer(store, kByHand);
  systems::FakeSystemStore systems;
  const systems::NewSecret secret = systems::new_system_secret(32);
  ASSERT_TRUE(systems.create({id(1), "NETH-1", "", OrganizationId("org"), secret.stored, true}, kNow));
  ManualClock clock(kNow);
  systems::Authenticator authenticator(systems, clock, {});
  const net::Endpoint endpoint = heartbeat_endpoint(authenticator, writer, clock, 1024);

  net::Request request;
  request.method = net::Method::post;
  EXPECT_EQ(std::get<net::Response>(endpoint.admit(request)).status, 401);
  EXPECT_EQ(writer.waiting(), 0U);

  request.headers.add("Authorization", "Basic " + to_base64("NETH-1:" + secret.text));
  ASSERT_TRUE(std::get<net::Blocking>(endpoint.admit(request)).decide().index() == 1);
  const auto accepted = std::get<net::Accepted>(endpoint.admit(request));
  EXPECT_EQ(accepted.max_body_bytes, 1024U);
  EXPECT_EQ(accepted.use, net::BodyUse::ignore);
  const net::Response answer = accepted.handle(request);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(
      answer.body,
      R"({"code":200,"message":"heartbeat acknowledged","data":{"system_key":"NETH-1","acknowledged":true,)"
      R"("last_heartbeat":"2023-11-14T22:13:20.000000Z"}})");
  ASSERT_TRUE(writer.flush());
  EXPECT_EQ(store.last_heartbeat["system-1"], kNow);
}

}  // namespace
}  // namespace collect::liveness
