// SPDX-License-Identifier: Apache-2.0
// What the door counts. Readable at any time from any thread; each number only grows, but for those that tell
// what is now.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace collect::net {

// Requests and connections that were turned away by the door itself, before or without a handler's word.
enum class Refused : std::uint8_t {
  malformed,         // 400, 417, 505 by the gate or within a body
  header_too_large,  // 414, 431
  body_too_large,    // 413
  too_slow,          // a deadline passed: header, body, write
  overloaded,        // 503: pool, body or answer memory full, or no thread in time
  connections_full,  // closed at accept
};
inline constexpr std::size_t kRefusedKinds = 6;

constexpr std::string_view to_string(Refused kind) {
  constexpr std::array<std::string_view, kRefusedKinds> kNames = {
      "malformed", "header_too_large", "body_too_large", "too_slow", "overloaded", "connections_full"};
  return kNames[static_cast<std::size_t>(kind)];
}

struct ServerCounters {
  std::atomic<std::uint64_t> connections_accepted{0};
  std::atomic<std::uint64_t> connections_open{0};
  std::atomic<std::uint64_t> tls_failures{0};        // connections that ended before or because TLS failed
  std::atomic<std::int64_t> certificate_ends_at{0};  // Unix seconds; 0: plain HTTP
  std::atomic<std::uint64_t> requests{0};            // heads that went through the gate
  std::atomic<std::uint64_t> handler_failures{0};    // exceptions: each became a 500
  std::atomic<std::uint64_t> bytes_in{0};
  std::atomic<std::uint64_t> bytes_out{0};
  std::atomic<std::uint64_t> body_bytes_held{0};  // memory promised to bodies that are being read or handled
  std::atomic<std::uint64_t> answer_bytes_held{0};  // of long answers that are not sent yet
  std::array<std::atomic<std::uint64_t>, kRefusedKinds> refused{};
  std::array<std::atomic<std::uint64_t>, 6> answers{};  // by first digit of the status; [0] is not used

  void count(Refused kind) { ++refused[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] std::uint64_t of(Refused kind) const { return refused[static_cast<std::size_t>(kind)]; }
};

}  // namespace collect::net
