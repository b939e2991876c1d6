// SPDX-License-Identifier: Apache-2.0
// The embedded engine on a disk that really is full: a small file system in memory where this program may
// mount one (as root), else one whose writes are refused as a full one refuses them.
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>

#include <fstream>
#include <iostream>
#include <random>

#include "faults/failing_disk.h"
#include "faults/trial.h"

namespace collect::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// A place for data that can be filled up and given room again.
class SmallDisk {
 public:
  explicit SmallDisk(const fs::path& folder) : folder_(folder) {
    fs::create_directories(folder);
    // In a mount name space of this thread's own: whatever becomes of the test, the mount goes with it.
    mounted_ = unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
               mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=16m") == 0;
    std::cout << (mounted_ ? "on a tmpfs of 16 MB\n"
                           : "no mount is allowed here: writes are refused instead\n");
  }
  ~SmallDisk() {
    if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  [[nodiscard]] Environment environment() const { return mounted_ ? Environment{} : refusing_.environment(); }
  void fill() {
    if (!mounted_) return refusing_.set(folder_, FailingDisk::Fault::full, 1, true);
    std::ofstream filler(folder_ / "filler", std::ios::binary | std::ios::app);
    const std::string page(4096, 'x');
    while (filler.write(page.data(), static_cast<std::streamsize>(page.size())) && filler.flush()) {
    }
  }
  void make_room() {
    if (!mounted_) return (void)refusing_.unset();
    fs::remove(folder_ / "filler");
  }

 private:
  const fs::path folder_;
  FailingDisk refusing_;
  bool mounted_ = false;
};

// An inventory that takes room, however it is packed.
std::string large_inventory(std::mt19937_64& random) {
  std::string noise(300'000, '\0');
  for (char& c : noise) c = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[random() % 64];
  return labelled_inventory(noise);
}

TEST(Faults, FullDisk) {
  Trial trial(EngineKind::embedded, {.seed = trial_seed(), .systems = 3, .most_pause = 20ms});
  Service& service = trial.service();
  SmallDisk disk(service.folder() / "data");
  for (const auto& [name, value] : disk.environment()) service.settings()[name] = value;
  trial.begin();
  Appliance box(service, service.new_system());
  trial.start_reports();
  for (int round = 0; round < 2; ++round) {
    sleep_for(500ms);
    disk.fill();
    HttpResponse refused;
    ASSERT_TRUE(eventually(
        [&] {
          refused = box.post(large_inventory(trial.random()));
          return refused.status != 202;
        },
        60s));
    EXPECT_EQ(refused.status, 503) << refused.body;
    EXPECT_NE(refused.header("Retry-After"), "");
    sleep_for(1s);
    EXPECT_TRUE(service.running());
    EXPECT_EQ(box.http().get("/api/health/live").status, 200);
    EXPECT_EQ(service.sql("PRAGMA integrity_check"), "ok\n");
    if (round == 1) {
      service.kill_hard();
      trial.expect_nothing_lost();
    }
    disk.make_room();
    trial.ensure_running();
    box.insist(labelled_inventory("room " + std::to_string(round)), std::chrono::steady_clock::now() + 60s);
  }
  sleep_for(500ms);
  trial.stop_reports();
  trial.expect_whole();
}

}  // namespace
}  // namespace collect::test
