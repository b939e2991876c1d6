// SPDX-License-Identifier: Apache-2.0
// The door: HTTP/1.1 over TCP or TLS. A few I/O threads read and write; endpoints decide on them without
// blocking, handlers run on a pool and may block. The only asynchronous code of Collect is behind this
// header.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/pool.h"
#include "base/result.h"
#include "net/counters.h"
#include "net/router.h"

namespace collect::net {

class TlsIdentity;

struct ServerOptions {
  std::string listen_address = "127.0.0.1:8081";  // host:port, [v6]:port or :port; port 0: any free one
  std::shared_ptr<const TlsIdentity> tls;         // nullptr: plain HTTP
  std::size_t io_threads = 2;
  std::size_t max_connections = 20000;
  std::size_t header_limit = 16 * 1024;                    // bytes; beyond it 431
  std::uint64_t max_body_bytes_held = 256U * 1024 * 1024;  // of all requests together; beyond it 503
  // Of all long answers together until they are sent, for whoever asks and does not read; beyond it 503. One
  // at a time may be longer.
  std::uint64_t max_answer_bytes_held = 64U * 1024 * 1024;

  // From the connection's beginning (TLS included), later from the first byte, to the end of the head.
  std::chrono::milliseconds header_deadline{10'000};
  // Bodies and answers may take this long, plus one second for every minimum_rate bytes; one that stands
  // still this long is cut as well.
  std::chrono::milliseconds body_deadline{30'000};
  std::chrono::milliseconds write_deadline{30'000};
  std::uint64_t minimum_rate = 1024;                  // bytes a second
  std::chrono::milliseconds idle_deadline{75'000};    // between requests
  std::chrono::milliseconds handler_timeout{30'000};  // waiting for a thread of the pool; beyond it 503

  // After a refusal that left a body unread: how long and how much is still read and dropped, so that the
  // client sees the answer and not a reset.
  std::chrono::milliseconds linger_deadline{2'000};
  std::size_t linger_bytes = std::size_t{64} << 20U;
};

// Resources neither copy nor move. start(), drain() and the destructor are for one thread, the owner's.
class Server {
 public:
  // Everything that is referred to must outlive the server.
  Server(ServerOptions options, const Router& router, Pool& pool, const Clock& clock);
  // Closes what is still open and waits for handlers that are running.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds and begins to serve. `invalid`: the address is none; `unavailable`: it could not be bound. The
  // message names the address and the reason.
  Result<void> start();
  // host:port as bound (the real port where 0 was asked for); empty before start().
  [[nodiscard]] const std::string& address() const;
  [[nodiscard]] std::uint16_t port() const;

  // Connections from now on get this certificate; those that are open go on. Only for a server that was
  // started with one.
  void renew_tls(std::shared_ptr<const TlsIdentity> tls);

  // Stops accepting, closes idle connections, lets requests in flight finish and answers them with
  // `Connection: close`. Returns once all connections are closed, at the latest after `patience` (what is
  // left is closed then). True: nobody had to be cut off.
  bool drain(std::chrono::milliseconds patience);

  [[nodiscard]] const ServerCounters& counters() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace collect::net
