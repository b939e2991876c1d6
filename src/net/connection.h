// SPDX-License-Identifier: Apache-2.0
// One connection and the requests on it, one after the other. Internal to the net room.
//
// It lives on its loop's thread, held by the one wait or pool job that is under way; when there is none, it
// is gone. Only run_job() touches it elsewhere, on a pool thread, while the loop leaves the request alone,
// and when bodies are streamed also the socket: then that thread reads and writes it, waiting as long as it
// takes.
#pragma once

#include <atomic>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "net/chunked.h"
#include "net/door.h"
#include "net/gate.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/router.h"
#include "net/transport.h"

namespace collect::net {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Steady = Loop::Steady;

  Connection(Loop& loop, Transport transport, std::string peer_address);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  [[nodiscard]] bool overdue(Steady::time_point now) const { return now >= deadline_; }
  // The deadline has passed.
  void cut();
  // The server goes away: closes now when nothing is going on.
  void drain();
  // Without a word: the other end can tell that what it read may not be all.
  void close();

  std::size_t place = 0;  // in the loop's list

 private:
  enum class Phase { idle, head, body, pool, writing, lingering, closed };
  // What follows when the answer is written.
  enum class After { body, next_request, linger, close };
  // Who has the job: settled by one exchange, so that a job that nobody began in time is answered exactly
  // once.
  enum class Job { none, waiting, running, given_up };

  // Reading heads.
  void next_request();
  void wait_readable();
  void on_readable();
  void on_head_bytes(std::string_view fresh);
  void on_head(std::string_view raw, std::string_view rest);
  [[nodiscard]] Admission admit_safely();
  // Keeps what was read beyond the part in hand; `rest` may point into pending_ itself.
  void keep(std::string_view rest);
  void forget_request();
  // Closes, and says first that nothing is missing.
  void end();
  void note_tls_failure();

  // Reading bodies. `rest` and `bytes` may point into pending_ or into the loop's scratch.
  void begin_body(std::string_view rest);
  void on_body_bytes(std::string_view bytes);
  void take_chunks(std::string_view bytes);
  void read_body_in_place();
  void wait_for_body();
  void on_body_complete(std::string_view rest);
  void on_body_broken_off();
  void refuse_large_body();
  [[nodiscard]] bool hold_body(std::uint64_t total);
  void extend_body_deadline();
  [[nodiscard]] std::uint64_t length() const { return request_.content_length.value_or(0); }
  [[nodiscard]] bool buffers_body() const { return accepted_.use == BodyUse::buffer; }
  [[nodiscard]] bool streams() const { return accepted_.use == BodyUse::stream; }

  // Work on the pool.
  void submit();
  static void run_job(std::shared_ptr<Connection> self) noexcept;
  [[nodiscard]] std::variant<Response, Accepted> decide_safely();
  [[nodiscard]] Response handle_safely();
  [[nodiscard]] Response handler_failed(std::string_view what);
  [[nodiscard]] Response no_memory();
  void on_job_done();

  // Streaming, on the pool's thread but for the last (connection_stream.cc).
  void run_stream();
  [[nodiscard]] Result<std::size_t> read_streamed(std::span<char> into);
  [[nodiscard]] Failure stream_fails(Refused kind, int status, std::string message);
  void write_streamed();
  [[nodiscard]] bool write_now(std::string_view first, std::string_view second);
  [[nodiscard]] std::chrono::milliseconds patience(std::chrono::milliseconds deadline,
                                                   std::uint64_t bytes) const;
  void on_stream_done();

  // Answering.
  void answer_unread(Response response, std::string_view rest);
  void refuse(Refused kind, Response response);
  void answer(Response response, After after);
  // What to write for it, and what follows; `date` as in its header.
  void prepare(Response response, After after, std::string_view date);
  void begin_writing();
  void extend_write_deadline();
  void write();
  void on_written();
  void linger();
  void read_lingering();
  void expire_in(std::chrono::milliseconds time) { deadline_ = Steady::now() + time; }
  [[nodiscard]] std::chrono::milliseconds time_for(std::uint64_t bytes) const;

  Loop& loop_;
  Door& door_;
  Transport transport_;
  const std::string peer_address_;

  Phase phase_ = Phase::idle;
  bool waiting_for_input_ = false;
  Steady::time_point deadline_ = Steady::time_point::max();
  std::string pending_;  // read and not used yet
  HeadScanner scanner_;

  Request request_;
  std::string request_id_;  // outlives request_, which moves into the handler
  Accepted accepted_;
  Steady::time_point body_begun_{};
  Steady::time_point write_begun_{};
  std::uint64_t body_received_ = 0;
  std::uint64_t body_held_ = 0;
  std::uint64_t answer_held_ = 0;
  ChunkedBody chunks_;

  std::function<std::variant<Response, Accepted>()> decide_;  // set: the job is to decide, else to handle
  std::variant<Response, Accepted> decision_;
  std::atomic<Job> job_ = Job::none;

  // Of a stream. Time spent waiting for the client only: a slow handler is not the client's fault.
  struct Problem {
    Refused kind;
    Response answer;
  };
  enum class Streamed { nothing, all, broken_off };
  Steady::duration waited_{};
  std::optional<Problem> body_problem_;
  Streamed streamed_ = Streamed::nothing;  // of the answer

  Response response_;
  std::string response_head_;
  std::string_view response_body_;
  std::size_t written_ = 0;
  After after_ = After::close;
  std::size_t lingered_ = 0;
};

}  // namespace collect::net
