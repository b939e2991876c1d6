// SPDX-License-Identifier: Apache-2.0
#include "app/service_manager.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace collect::app {
namespace {

// What systemd holds of a service: a socket of datagrams.
class ServiceManagerTest : public testing::Test {
 protected:
  void listen(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(name.begin(), name.end(), std::begin(address.sun_path));
    if (name.front() == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    ASSERT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&address), length), 0);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  [[nodiscard]] std::string heard() const {
    std::array<char, 256> text{};
    const auto got = recv(socket_, text.data(), text.size(), MSG_DONTWAIT);
    return got < 0 ? "nothing" : std::string(text.data(), static_cast<std::size_t>(got));
  }
  ~ServiceManagerTest() override {
    close(socket_);
    unsetenv("NOTIFY_SOCKET");
  }
  const std::string name_ = "collect-test-" + std::to_string(getpid());
  const int socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

TEST_F(ServiceManagerTest, HearsThatTheServiceIsReady) {
  const auto path = std::filesystem::temp_directory_path() / name_;
  listen(path);
  tell_ready();
  EXPECT_EQ(heard(), "READY=1");
  std::filesystem::remove(path);
}

TEST_F(ServiceManagerTest, HearsHowLongAStopMayTake) {
  listen("@" + name_);
  tell_stopping(std::chrono::seconds(90));
  EXPECT_EQ(heard(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=90000000");
}

TEST_F(ServiceManagerTest, NeedNotBeThere) {
  unsetenv("NOTIFY_SOCKET");
  tell_ready();
  setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
  tell_ready();
  setenv("NOTIFY_SOCKET", std::string(200, 'x').c_str(), 1);
  tell_ready();
  EXPECT_EQ(heard(), "nothing");
}

}  // namespace
}  // namespace collect::app
