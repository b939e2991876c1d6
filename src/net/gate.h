// SPDX-License-Identifier: Apache-2.0
// The gate: reads a request's head from raw bytes and lets through only what every HTTP implementation
// between the client and us would understand in the same way. Rules: RFC 9112 (HTTP/1.1) without its
// liberties: no bare line feeds, no folded lines, no white space around names, one Host, one framing. Pure;
// safe on any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "net/http.h"

namespace collect::net {

inline constexpr std::size_t kMaxTarget = 8192;  // bytes of path and query; more is 414
inline constexpr std::size_t kMaxFields = 100;   // header fields; more is 431

// Why a request was not let in: the answer's status and a sentence for the envelope.
struct Refusal {
  int status = 400;
  std::string message;
};

// Finds the end of a head in bytes that arrive piece by piece.
class HeadScanner {
 public:
  struct Incomplete {};
  struct Complete {
    std::size_t
        begin;  // where the request line begins: 0, or 2 after an empty line, which some clients send first
    std::size_t end;  // behind the empty line at the end
  };
  using Outcome = std::variant<Incomplete, Complete, Refusal>;

  explicit HeadScanner(std::size_t limit) : limit_(limit) {}
  // `bytes` begins where the request begins and holds at least what it held at the call before. Refuses as
  // soon as it can tell: 400 for what is no HTTP or has bare line feeds, 414 and 431 for what grew too large.
  Outcome scan(std::string_view bytes);
  void restart() { begin_ = at_ = 0; }

 private:
  std::size_t limit_;
  std::size_t begin_ = 0;
  std::size_t at_ = 0;  // lines before this one are complete and not empty
};

// Reads a complete head, its empty line included. Absolute-form targets (GET http://host/path) are accepted
// and their path is taken; authority-form is refused. peer_address, request_id, params, route and received_at
// are left for the caller to fill in.
std::variant<RequestHead, Refusal> read_head(std::string_view raw);

}  // namespace collect::net
