// SPDX-License-Identifier: Apache-2.0
#include "app/service_manager.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

#include "base/log.h"
#include "base/settings.h"

namespace collect::app {

void tell_service_manager(std::string_view state) {
  const auto path = process_environment("NOTIFY_SOCKET");
  if (!path || path->empty()) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path->size() >= sizeof(address.sun_path)) {
    log::warn("service_manager_not_told", {{"reason", "NOTIFY_SOCKET is too long for a socket's address"}});
    return;
  }
  std::copy(path->begin(), path->end(), std::begin(address.sun_path));
  if (path->front() == '@') address.sun_path[0] = '\0';  // Linux' abstract names
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path->size());
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool sent = socket >= 0 && ::sendto(socket, state.data(), state.size(), MSG_NOSIGNAL,
                                            reinterpret_cast<const sockaddr*>(&address), length) >= 0;
  if (socket >= 0) ::close(socket);
  if (!sent) log::warn("service_manager_not_told", {{"reason", "NOTIFY_SOCKET does not take messages"}});
}

void tell_ready() {
  tell_service_manager("READY=1");
}

void tell_stopping(std::chrono::seconds at_most) {
  tell_service_manager(fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}",
                                   std::chrono::duration_cast<std::chrono::microseconds>(at_most).count()));
}

}  // namespace collect::app
