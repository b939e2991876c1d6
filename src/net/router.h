// SPDX-License-Identifier: Apache-2.0
// Which endpoint answers which path, and how an endpoint decides whom to let in before the body is read.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/pool.h"
#include "net/http.h"

namespace collect::net {

enum class BodyUse {
  buffer,  // the handler gets it
  ignore,  // read and dropped, still at most max_body_bytes
  stream,  // the handler reads it while it comes (Request::stream), and may answer with a stream of its own
};

// The request may send its body; then `handle` answers it. It runs on a pool and may block. An exception
// becomes a 500. With BodyUse::stream it keeps its thread for as long as the bytes take, and so do those of
// its answer: such endpoints bring a pool of their own. They need a Content-Length (411 for chunks).
struct Accepted {
  std::uint64_t max_body_bytes = 0;
  BodyUse use = BodyUse::buffer;
  std::function<Response(Request)> handle;
  Pool* pool = nullptr;  // null: the server's; outlives the server
};

// Deciding needs to block (a look-up in a database): `decide` runs on the pool, then the request goes on.
struct Blocking {
  std::function<std::variant<Response, Accepted>()> decide;
};

// A Response here is given before the body is read.
using Admission = std::variant<Response, Accepted, Blocking>;

// Called once the head is read and went through the gate. Runs on an I/O thread: it must not block, and it
// must be safe to call from several threads. The head stays where it is until the handler has run.
using Admit = std::function<Admission(const RequestHead&)>;

struct Endpoint {
  Admit admit;
};

// An endpoint that lets everybody in.
Endpoint open_to_all(std::uint64_t max_body_bytes, BodyUse use, std::function<Response(Request)> handle);

// Filled at start; const functions are safe to call from several threads.
class Router {
 public:
  // `pattern` is a path whose segments are literal or {name}: "/api/things/{thing}/parts". Literal segments
  // match the raw path byte by byte. A {name} matches one segment, which is percent-decoded into
  // RequestHead::params; what decodes to nothing, ".", "..", or to a "/" or a control character within
  // matches nothing. Literals go before {name}, segment by segment, whatever was added first. A pattern that
  // is no such path, or that is there already, throws std::invalid_argument.
  void add(Method method, std::string_view pattern, Endpoint endpoint);
  // What begins with `prefix` (which ends with a "/") and matches no pattern, whatever its method.
  void add_rest(std::string_view prefix, Endpoint endpoint);

  // Asks the endpoint of head.path and head.method, after filling in head.params and head.route. HEAD is
  // answered by GET unless it has an endpoint of its own. 404 `api not found` and 405 `method not allowed`
  // are envelopes.
  [[nodiscard]] Admission admit(RequestHead& head) const;

 private:
  struct Route {
    std::string pattern;
    std::vector<std::string> segments;  // empty: a {name}
    std::map<Method, Endpoint> endpoints;
  };
  static bool goes_before(const Route& route, const Route& other);
  [[nodiscard]] const Route* find(std::string_view path, std::vector<std::string>& params) const;

  // Pointers stay: entries of a node-based map do not move.
  std::unordered_map<std::string, Route> routes_;  // by pattern, every {name} as {}
  std::vector<const Route*> with_params_;
  std::map<std::string, Endpoint, std::less<>> rests_;  // by prefix
};

}  // namespace collect::net
