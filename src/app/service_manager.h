// SPDX-License-Identifier: Apache-2.0
// How far this process is, told to the service manager that started it: the protocol of sd_notify(3),
// systemd's Type=notify.
#pragma once

#include <chrono>
#include <string_view>

namespace collect::app {

// Lines of NAME=value as sd_notify(3) lists them, to the socket that NOTIFY_SOCKET names. Nothing happens
// where that is unset, and nothing fails: a service that nobody watches serves all the same.
void tell_service_manager(std::string_view state);

// It serves.
void tell_ready();
// It stops, and may take so long.
void tell_stopping(std::chrono::seconds at_most);

}  // namespace collect::app
