// SPDX-License-Identifier: Apache-2.0
// Too much, too slow, too many: what the door does about it, and that those who behave notice little.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <iostream>
#include <thread>

#include "base/hash.h"
#include "faults/at_the_door.h"
#include "journey/reporter.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::AnyOf;
using testing::HasSubstr;

constexpr std::size_t kNone = 0;

COLLECT_ON_EACH_ENGINE(Faults);

std::string head_of_post(const Login& login, std::size_t length) {
  return "POST /api/systems/inventory HTTP/1.1\r\nHost: h\r\nAuthorization: Basic " +
         to_base64(login.key + ":" + login.secret) + "\r\nContent-Length: " + std::to_string(length) +
         "\r\n\r\n";
}

// ---------------------------------------------------------------- too much

// Clients that send at their own pace, whatever they are answered: a fleet does not slow down together.
class Flood {
 public:
  Flood(Service& service, std::size_t clients, std::size_t posts, milliseconds duration)
      : each_(posts / clients), pace_(duration / std::max<std::size_t>(1, posts / clients)) {
    for (std::size_t i = 0; i < clients; ++i) {
      boxes_.emplace_back(service, service.new_system("Flood " + std::to_string(i)));
    }
    tallies_.resize(clients);
  }

  void run() {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < boxes_.size(); ++i) {
      threads.emplace_back([this, i] { send(boxes_[i], tallies_[i], i); });
    }
  }
  [[nodiscard]] Tally tally() const {
    Tally all;
    for (const Tally& each : tallies_) all.add(each);
    return all;
  }

 private:
  void send(Appliance& box, Tally& tally, std::size_t number) {
    const auto begin = steady_clock::now();
    for (std::size_t n = 0; n < each_; ++n) {
      std::this_thread::sleep_until(begin + pace_ * n);
      // Every tenth says what the one before said.
      tally.post(box,
                 labelled_inventory(std::to_string(number) + "/" + std::to_string(n - (n % 10 == 9)), 2000));
    }
  }

  const std::size_t each_;
  const std::chrono::duration<double> pace_;
  std::deque<Appliance> boxes_;
  std::vector<Tally> tallies_;
};

// What it is made to be: one message a batch, one thread a stage, and little room to wait.
TEST_P(Faults, FiveTimesTheCapacity) {
  const milliseconds duration = std::chrono::seconds(number_given("COLLECT_TEST_FLOOD_SECONDS", 5));
  start({{"QUEUE_MAX_DEPTH", "100"},
         {"BATCH_PROCESSOR_SIZE", "1"},
         {"WORKER_INVENTORY_COUNT", "1"},
         {"WORKER_PROCESSING_COUNT", "1"}});
  // As many as it takes when all that wait come again.
  Flood first(*service_, 16, 1600, 1ms);
  const auto begin = steady_clock::now();
  first.run();
  ASSERT_TRUE(eventually([&] { return quiet(); }, 60s));
  const std::chrono::duration<double> took = steady_clock::now() - begin;
  const double capacity = static_cast<double>(first.tally().of(202)) / took.count();

  // Seven times, as clients fall a little behind; and more than the queue has room for, where next to nothing
  // can be processed.
  const auto posts = static_cast<std::size_t>(
      std::max(500.0, 7 * capacity * std::chrono::duration<double>(duration).count()));
  Flood flood(*service_, 16, posts, duration);
  const Vitals vitals(service_->pid());
  const long before = vitals.resident_mb();
  std::atomic<long> most = before;
  std::jthread watch([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      most = std::max(most.load(), vitals.resident_mb());
      sleep_for(100ms);
    }
  });
  const auto flooded = steady_clock::now();
  flood.run();
  const std::chrono::duration<double> lasted = steady_clock::now() - flooded;
  watch = {};
  Tally all = flood.tally();
  const double came = static_cast<double>(all.sum()) / lasted.count();
  std::cout << static_cast<long>(capacity) << " a second can be processed, " << static_cast<long>(came)
            << " a second came: " << all.text() << "; " << before << " MB before, at most " << most
            << " MB\n";
  EXPECT_GT(came, 5 * capacity) << "the clients were too slow for what this is about";
  EXPECT_EQ(all.of(0), kNone) << "everybody is answered";
  EXPECT_GT(all.of(503), kNone);
  EXPECT_GT(all.of(202), kNone);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // Documents are remembered for the next comparison, up to a limit (inventory/recent.h).
  const auto remembered = static_cast<long>(std::min<std::size_t>(256, all.of(202) * 12 / 1024));
  EXPECT_LT(most, before + 16 + remembered);
#endif
  all.add(first.tally());
  expect_whole(all);
}

// ---------------------------------------------------------------- too slow

// The deadlines are those of production: ten seconds for a head, thirty for a body that stands still.
TEST_P(Faults, SlowHeadersBodiesAndReaders) {
  start();
  Appliance box = new_box();
  Tally tally;
  const std::string kept = labelled_inventory("kept", 2000);
  Sockets silent(service_->port());
  Sockets heads(service_->port());
  Sockets bodies(service_->port());
  Sockets readers(service_->port());
  silent.open(100);
  heads.open(100, "POST /api/systems/inventory HTT");
  bodies.open(100, head_of_post(box.login(), 100'000) + "{\"half\":");
  std::string many;  // more answers than the buffers of a socket hold, and never read
  for (int i = 0; i < 20'000; ++i) many += "GET /api/health/live HTTP/1.1\r\nHost: h\r\n\r\n";
  readers.open(20, many, 4096);

  const auto begin = steady_clock::now();
  std::size_t slowest = 0;
  const auto serve_until = [&](auto condition, milliseconds most) {
    const auto stop = steady_clock::now() + most;
    while (!condition() && steady_clock::now() < stop) {
      const auto posted = steady_clock::now();
      tally.post(box, kept);
      slowest = std::max(slowest, static_cast<std::size_t>((steady_clock::now() - posted) / 1ms));
      sleep_for(50ms);
    }
    return condition();
  };
  // The door is the same for both engines: once is enough to wait for its deadlines.
  if (GetParam() == EngineKind::embedded) {
    EXPECT_TRUE(serve_until([&] { return silent.ended() == 100 && heads.ended() == 100; }, 40s));
    EXPECT_GE(steady_clock::now() - begin, 9s);
    std::cout << "heads cut after " << (steady_clock::now() - begin) / 1ms << " ms\n";
    EXPECT_TRUE(serve_until([&] { return bodies.ended() == 100; }, 90s));
    std::cout << "bodies cut after " << (steady_clock::now() - begin) / 1ms << " ms\n";
    EXPECT_TRUE(serve_until([&] { return service_->metric("collect_http_connections_open") <= 3; }, 90s))
        << "readers are cut, too";
  } else {
    serve_until([] { return false; }, 2s);
  }
  std::cout << "others were answered after at most " << slowest << " ms\n";
  EXPECT_EQ(tally.of(202), tally.sum()) << tally.text();
  EXPECT_LT(slowest, 5000U);
  expect_whole(tally);
}

// ---------------------------------------------------------------- too many

TEST_P(Faults, TenThousandIdleSockets) {
  const std::size_t limit = raise_descriptor_limit();
  const std::size_t count = std::min<std::size_t>(10'000, limit - 500);
  start();
  Appliance box = new_box();
  Tally tally;
  tally.post(box, labelled_inventory("before", 2000));
  const Vitals vitals(service_->pid());
  const long before = vitals.resident_mb();
  Sockets idle(service_->port());
  // Half have never said anything, half are between two requests.
  idle.open(count / 2, "GET /api/health/live HTTP/1.1\r\nHost: h\r\n\r\n");
  idle.open(count - count / 2);
  EXPECT_EQ(idle.size(), count);
  EXPECT_TRUE(eventually([&] { return vitals.descriptors() > count; }));
  const auto begin = steady_clock::now();
  const auto busy = vitals.cpu_time();
  for (int i = 0; i < 100; ++i) tally.post(box, labelled_inventory(std::to_string(i), 2000));
  Appliance newcomer = new_box();
  tally.post(newcomer, labelled_inventory("new", 2000));
  const auto took = (steady_clock::now() - begin) / 1ms;
  std::cout << count << " idle sockets (of " << limit << " descriptors): " << before << " MB before, "
            << vitals.resident_mb() << " MB with them; 101 inventories in " << took << " ms with "
            << (vitals.cpu_time() - busy).count() << " ms of CPU\n";
  EXPECT_EQ(tally.of(202), tally.sum()) << tally.text();
  // Those who never said anything are cut when a head is overdue. The door is the same for both engines.
  if (GetParam() == EngineKind::embedded) {
    EXPECT_TRUE(eventually([&] { return idle.ended() >= count - count / 2; }, 60s));
  }
  EXPECT_LE(idle.ended(), count - count / 2);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(vitals.resident_mb(), before + 100);
#endif
  idle.close_all();
  EXPECT_TRUE(eventually([&] { return vitals.descriptors() < 500; }));
  expect_whole(tally);
}

TEST_P(Faults, NoFileDescriptorsLeft) {
  start();
  Appliance box = new_box();
  Tally tally;
  for (int i = 0; i < 20; ++i) tally.post(box, labelled_inventory("warm " + std::to_string(i), 2000));
  ASSERT_TRUE(eventually([&] { return quiet(); }, 60s)) << "what follows measures an idle process";
  const Vitals vitals(service_->pid());
  rlimit before{};
  const rlim_t few = vitals.descriptors() + 20;
  ASSERT_EQ(prlimit(service_->pid(), RLIMIT_NOFILE, nullptr, &before), 0);
  const rlimit low{few, before.rlim_max};
  ASSERT_EQ(prlimit(service_->pid(), RLIMIT_NOFILE, &low, nullptr), 0);

  Sockets crowd(service_->port());
  crowd.open(300, "GET /api/health/live HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return vitals.descriptors() >= few - 5; }));
  const auto begin = steady_clock::now();
  const auto busy = vitals.cpu_time();
  sleep_for(2s);
  const auto spent = vitals.cpu_time() - busy;
  const auto passed = std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
  EXPECT_LT(spent, passed / 4) << "it spins";
  Tally meanwhile;
  for (int i = 0; i < 50; ++i) meanwhile.post(box, labelled_inventory(std::to_string(i), 2000));
  std::cout << "no descriptors: " << spent.count() << " ms of CPU in " << passed.count() << " ms; "
            << meanwhile.text() << "\n";
  EXPECT_EQ(meanwhile.of(202), 50U) << meanwhile.text();
  EXPECT_TRUE(eventually([&] { return quiet(); }, 60s)) << "the workers go on, too";

  crowd.close_all();
  Appliance newcomer(*service_, box.login());
  meanwhile.post(newcomer, labelled_inventory("new", 2000));
  EXPECT_EQ(meanwhile.of(202), 51U) << "who waited is served when others have gone";
  ASSERT_EQ(prlimit(service_->pid(), RLIMIT_NOFILE, &before, nullptr), 0);
  tally.add(meanwhile);
  expect_whole(tally);
}

// A process that may not have many never fills them with connections alone.
TEST_P(Faults, DescriptorsAreKeptForTheRest) {
  start();
  Appliance box = new_box();
  service_->kill_hard();
  Process process({.command = {"prlimit", "--nofile=300:300", collect_binary(), "serve"},
                   .environment = service_->settings(),
                   .inherit_environment = false,
                   .directory = service_->folder()});
  ASSERT_TRUE(process.wait_for_http(service_->port(), "/api/health/live", 60s)) << process.err();
  Tally tally;
  tally.post(box, labelled_inventory("before", 2000));
  Sockets crowd(service_->port());
  crowd.open(400, "GET /api/health/live HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return crowd.ended() >= 250; }));
  Appliance late(*service_, box.login());
  Tally refused;
  refused.post(late, labelled_inventory("refused", 2000));
  EXPECT_EQ(refused.of(503), 1U) << "and told when to come again: " << refused.text();
  EXPECT_TRUE(refused.surprises.empty());
  for (int i = 0; i < 50; ++i) tally.post(box, labelled_inventory(std::to_string(i), 2000));
  EXPECT_EQ(tally.of(202), 51U) << tally.text();
  EXPECT_LT(Vitals(process.pid()).descriptors(), 280U);
  EXPECT_THAT(process.err(), testing::Not(HasSubstr("accept_failed")));
  crowd.close_all();
  EXPECT_TRUE(eventually([&] {
    late.http().close();
    Tally again;
    again.post(late, labelled_inventory("late", 2000));
    tally.add(again);
    return again.of(202) == 1;
  }));
  expect_whole(tally);
}

}  // namespace
}  // namespace collect::test
