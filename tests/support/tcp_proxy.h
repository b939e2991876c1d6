// SPDX-License-Identifier: Apache-2.0
// Stands between a program and its server on 127.0.0.1 and does to their conversation what networks do:
// waits, swallows, refuses, resets, and cuts a request off before the server heard it or before its answer
// came back. All functions are safe from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace collect::test {

class TcpProxy {
 public:
  enum class Mood {
    passes,
    swallows,  // takes connections and bytes and lets nothing through; what was held back then comes late
    refuses,   // does not listen, and resets what is open
  };

  // Where a trap closes: the server never hears the request, or has answered and nobody hears that.
  enum class Moment { before_request, after_answer };
  struct Trap {
    Moment moment = Moment::before_request;
    // Counts requests that contain this. What a client sends until it is answered is one request.
    std::string containing = {};
    std::uint64_t nth = 1;
    // Called on the proxy's thread as the trap closes, before the connection is reset and before anybody is
    // told that it closed. Must not call the proxy.
    std::function<void()> act = {};
  };

  explicit TcpProxy(int target_port);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  [[nodiscard]] int port() const { return port_; }

  // Return once it is so.
  void become(Mood mood);
  void reset_all();  // RST to both sides of every connection

  // Each piece waits that long in each direction.
  void delay(std::chrono::milliseconds time);

  // One at a time; a new one replaces it.
  void set(Trap trap);
  // True when it closed.
  bool unset();
  bool wait_closed(std::chrono::milliseconds timeout);

  [[nodiscard]] std::uint64_t requests() const;  // since the start

 private:
  using Clock = std::chrono::steady_clock;
  struct Piece {
    Clock::time_point due;
    std::string bytes;
  };
  struct Side {
    int fd = -1;
    std::deque<Piece> outgoing = {};  // to be written to it
    bool ended = false;               // sends nothing more
  };
  struct Pair {
    Side client;
    Side server;
    bool answered = true;
    std::uint64_t trapped = 0;  // the trap that does not let its answer through
  };

  void run(const std::stop_token& stop);
  void follow();
  void accept_one();
  // False: the pair is over.
  bool read(Pair& pair, Side& from, Side& to);
  bool write(Side& side);
  bool note_request(Pair& pair, const std::string& bytes);
  bool note_answer(Pair& pair);
  // With the mutex held: nobody who takes the trap off sees it half closed.
  void close_trap();
  void reset(Pair& pair);
  [[nodiscard]] int next_wait() const;

  const int target_port_;
  const int port_;
  int listener_ = -1;      // of the thread
  std::list<Pair> pairs_;  // of the thread
  Mood mood_now_ = Mood::refuses;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // All guarded by mutex_.
  Mood mood_ = Mood::refuses;
  Mood followed_ = Mood::refuses;
  std::uint64_t resets_wanted_ = 0;
  std::uint64_t resets_done_ = 0;
  std::chrono::milliseconds delay_{0};
  std::optional<Trap> trap_;
  std::uint64_t set_ = 0;  // traps so far
  std::uint64_t matched_ = 0;
  bool closed_ = false;
  std::uint64_t requests_ = 0;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace collect::test
