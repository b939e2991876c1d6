// SPDX-License-Identifier: Apache-2.0
// The door without memory for a new connection: that one is lost, the next ones are not.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>

#include "net/connection.h"
#include "net/raw_client_for_test.h"
#include "net/server.h"

namespace {

// Of allocations that are as large as a connection, so many fail: nothing else in this program is.
std::atomic<int> failing = 0;  // NOLINT: the operators below have no other way to hear of it

bool fails(std::size_t size) {
  constexpr std::size_t kConnection = sizeof(collect::net::Connection);
  constexpr std::size_t kSharedWith = 64;  // the counts of its shared_ptr
  if (failing <= 0 || size < kConnection || size > kConnection + kSharedWith) return false;
  return failing.fetch_sub(1) > 0;
}

}  // namespace

// Not inlined: the compiler would see free() beside new, and not that both are these.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (fails(size)) throw std::bad_alloc();
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;  // NOLINT: what new is made of
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size == 0 ? 1 : size);  // NOLINT
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);  // NOLINT
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);  // NOLINT
}

namespace collect::net {
namespace {

TEST(NoMemory, AConnectionThatCannotBeMadeHarmsNoOther) {
  Router router;
  router.add(Method::get, "/ok",
             open_to_all(0, BodyUse::buffer, [](const Request&) { return envelope(200, "ok"); }));
  const SystemClock clock;
  Pool pool(2, 100);
  ServerOptions options;
  options.listen_address = "127.0.0.1:0";
  options.io_threads = 2;
  Server server(options, router, pool, clock);
  ASSERT_TRUE(server.start().ok());
  const auto served = [&] {
    RawClient client(server.port());
    return client.ask("GET /ok HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").status == 200;
  };
  ASSERT_TRUE(served());
  for (const int many : {1, 3, 10}) {
    failing = many;
    int lost = 0;
    while (!served()) ASSERT_LE(++lost, many);
    EXPECT_EQ(lost, many);
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (server.counters().connections_open > 0 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(server.counters().connections_open, 0U);
}

}  // namespace
}  // namespace collect::net
