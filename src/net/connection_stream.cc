// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <utility>
#include <vector>

#include "base/log.h"
#include "net/connection.h"

namespace collect::net {
namespace {

// What a stream holds at once, whatever its size.
constexpr std::size_t kPiece = 128 * 1024;

// RFC 9112 section 7.1; of nothing: the last chunk, with the empty line that ends the body.
void append_chunk_head(std::string& out, std::size_t size) {
  fmt::format_to(std::back_inserter(out), "{:x}\r\n{}", size, size == 0 ? "\r\n" : "");
}

}  // namespace

void Connection::run_stream() {
  class Body final : public ByteSource {
   public:
    explicit Body(Connection& connection) : connection_(connection) {}
    Result<std::size_t> read(std::span<char> into) override { return connection_.read_streamed(into); }

   private:
    Connection& connection_;
  };
  Body body(*this);
  waited_ = {};
  written_ = 0;
  body_problem_.reset();
  streamed_ = Streamed::nothing;
  request_.stream = &body;
  response_ = handle_safely();
  if (response_.source_bytes > 0 && !body_problem_ && request_.method != Method::head) write_streamed();
  response_.source.reset();
}

// ---------------------------------------------------------------- the request's body

Result<std::size_t> Connection::read_streamed(std::span<char> into) {
  if (body_problem_) return invalid("the request's body has ended before its time");
  const std::uint64_t missing = length() - body_received_;
  if (missing == 0) return std::size_t{0};
  const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), missing));
  if (!pending_.empty()) {
    const std::size_t size = pending_.copy(into.data(), most);
    pending_.erase(0, size);
    body_received_ += size;
    return size;
  }
  if (body_received_ == 0 && std::exchange(request_.expect_continue, false) &&
      !write_now("HTTP/1.1 100 Continue\r\n\r\n", {})) {
    return stream_fails(Refused::malformed, 400, "the connection ended before the request's body");
  }
  for (;;) {
    boost::system::error_code error;
    const std::size_t size = transport_.read_some(into.data(), most, error);
    if (!error) {
      door_.counters.bytes_in += size;
      body_received_ += size;
      return size;
    }
    if (!would_block(error)) {
      return stream_fails(Refused::malformed, 400,
                          fmt::format("expected a body of {} bytes, the connection ended after {} bytes",
                                      length(), body_received_));
    }
    const auto begun = Steady::now();
    const auto most_waited = patience(door_.options.body_deadline, body_received_);
    const bool came = most_waited.count() > 0 && transport_.await_readable(most_waited);
    waited_ += Steady::now() - begun;
    if (came) continue;
    return stream_fails(Refused::too_slow, 408,
                        fmt::format("expected the request body faster, got {} bytes in {} ms", body_received_,
                                    std::chrono::duration_cast<std::chrono::milliseconds>(waited_).count()));
  }
}

Failure Connection::stream_fails(Refused kind, int status, std::string message) {
  body_problem_ = Problem{kind, envelope(status, message)};
  return invalid(std::move(message));
}

// As for bodies that are held: no byte for the whole deadline, or fewer bytes than the minimum rate asks for.
std::chrono::milliseconds Connection::patience(std::chrono::milliseconds deadline,
                                               std::uint64_t bytes) const {
  const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(waited_);
  return std::min(deadline, deadline + time_for(bytes) - waited);
}

// ---------------------------------------------------------------- the answer's body

// The first piece comes before the head is sent: a source that cannot even begin is an answer of its own.
void Connection::write_streamed() {
  const std::shared_ptr<ByteSource> source = std::move(response_.source);
  std::vector<char> buffer(kPiece);
  std::uint64_t missing = response_.source_bytes;
  const bool ends_itself = missing == kUntilItEnds;
  const bool chunks = ends_itself && request_.http_minor > 0;
  // Empty: the end, where the source decides that.
  const auto next_piece = [&]() -> Result<std::string_view> {
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(missing, buffer.size()));
    auto size = source->read({buffer.data(), most});
    if (!size) return size.failure();
    if (*size == 0 && !ends_itself) {
      return internal(fmt::format("the answer's source ended {} bytes early", missing));
    }
    if (!ends_itself) missing -= *size;
    return std::string_view(buffer.data(), *size);
  };
  auto piece = next_piece();
  if (!piece) {
    log::warn("response_not_begun", {{"request_id", request_id_}, {"error", piece.failure().message}});
    response_ = try_again_later("what was asked for cannot be read at the moment");
    return;
  }
  // Without chunks only the connection's end can tell that all has come.
  if (ends_itself && !chunks) request_.keep_alive = false;
  const bool read_all = body_received_ == length();
  prepare(std::move(response_), read_all ? After::next_request : After::linger, http_date(door_.clock.now()));
  streamed_ = Streamed::broken_off;
  waited_ = {};
  std::string before = response_head_;
  for (;;) {
    if (chunks) append_chunk_head(before, piece->size());
    if (!write_now(before, *piece)) return;
    if (ends_itself ? piece->empty() : missing == 0) break;
    before = chunks ? "\r\n" : "";
    piece = next_piece();
    if (!piece) {
      log::warn("response_broken_off",
                {{"request_id", request_id_}, {"sent", written_}, {"error", piece.failure().message}});
      return;
    }
  }
  streamed_ = Streamed::all;
}

bool Connection::write_now(std::string_view first, std::string_view second) {
  while (!first.empty() || !second.empty()) {
    boost::system::error_code error;
    const std::size_t size = transport_.write_some(first, second, error);
    if (error && !would_block(error)) return false;
    if (error) {
      const auto begun = Steady::now();
      const auto most_waited = patience(door_.options.write_deadline, written_);
      const bool came = most_waited.count() > 0 && transport_.await_writable(most_waited);
      waited_ += Steady::now() - begun;
      if (came) continue;
      door_.counters.count(Refused::too_slow);
      return false;
    }
    written_ += size;
    door_.counters.bytes_out += size;
    const std::size_t of_first = std::min(size, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(size - of_first);
  }
  return true;
}

void Connection::on_stream_done() {
  if (body_problem_) {
    Problem problem = *std::exchange(body_problem_, std::nullopt);
    return refuse(problem.kind, std::move(problem.answer));
  }
  if (streamed_ == Streamed::broken_off) return close();
  if (streamed_ == Streamed::all) return on_written();
  answer_unread(std::move(response_), pending_);
}

}  // namespace collect::net
