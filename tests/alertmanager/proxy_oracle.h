// SPDX-License-Identifier: Apache-2.0
// What must never happen, judged from outside: by the bytes that the upstream received and those that A got.
// It reads JSON, queries and filters in ways of its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "alertmanager/scripted_upstream_for_test.h"
#include "net/http.h"

namespace collect::alertmanager {

// What is wrong; nothing: all is well.
std::optional<std::string> judge_received(const Received& request);
std::optional<std::string> judge_answer(const net::Response& answer, const std::vector<Received>& received);

inline constexpr std::string_view kSecretOfB = "SECRET OF B";

}  // namespace collect::alertmanager
