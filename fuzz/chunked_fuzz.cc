// SPDX-License-Identifier: Apache-2.0
// net/chunked: a chunked body, as a whole, in pieces, and as a plain reader of RFC 9112 section 7.1 has it.
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "fuzz/fuzz.h"
#include "net/chunked.h"

namespace collect::fuzz {
namespace {

using net::ChunkedBody;
using Status = ChunkedBody::Status;

constexpr std::uint64_t kLimit = 4096;

struct Read {
  Status status = Status::more;
  std::string body;
  std::size_t used = 0;
};

Read read_in_steps(std::string_view input, std::size_t step) {
  Read read;
  ChunkedBody chunked;
  while (read.status == Status::more && read.used < input.size()) {
    std::string_view piece = input.substr(read.used, step);
    const std::size_t offered = piece.size();
    read.status = chunked.feed(piece, &read.body, kLimit);
    read.used += offered - piece.size();
    hold(read.status != Status::more || piece.empty(), "a body that goes on has used all of its input");
  }
  hold(chunked.received() == read.body.size(), "what was counted is what was given");
  hold(chunked.problem().empty() == (read.status != Status::malformed), "a problem has a sentence");
  return read;
}

// The data of a complete body, with no regard to limits; nothing when it is none.
std::optional<std::string> read_plainly(std::string_view input) {
  std::string body;
  for (;;) {
    const std::size_t end = input.find("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    std::size_t size = 0;
    const auto [stop, error] = std::from_chars(input.data(), input.data() + end, size, 16);
    if (error != std::errc{}) return std::nullopt;
    input.remove_prefix(end + 2);
    if (size == 0) break;
    if (size > input.size() || !input.substr(size).starts_with("\r\n")) return std::nullopt;
    body.append(input.substr(0, size));
    input.remove_prefix(size + 2);
  }
  while (!input.starts_with("\r\n")) {
    const std::size_t end = input.find("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    input.remove_prefix(end + 2);
  }
  return body;
}

}  // namespace

void run(std::string_view input) {
  const Read whole = read_in_steps(input, input.size());
  hold(whole.body.size() <= kLimit, "no more is kept than the limit allows");
  for (const std::size_t step : {1, 5}) {
    const Read parts = read_in_steps(input, step);
    hold(parts.status == whole.status, "a body that trickles in is judged like one that comes at once");
    hold(parts.body == whole.body, "a body that trickles in is the same");
    hold(whole.status != Status::done || parts.used == whole.used, "its end is at the same place");
  }
  if (whole.status == Status::done) {
    const auto plain = read_plainly(input.substr(0, whole.used));
    hold(plain == whole.body, "a plain reader finds the same body");
  }
}

}  // namespace collect::fuzz
