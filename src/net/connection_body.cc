// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/error.hpp>

#include "net/connection.h"

namespace collect::net {
namespace {

// A body's memory is touched as its bytes come, not as its Content-Length promises.
constexpr std::uint64_t kBodyStep = 256 * 1024;

}  // namespace

std::chrono::milliseconds Connection::time_for(std::uint64_t bytes) const {
  return std::chrono::milliseconds(bytes * 1000 / std::max<std::uint64_t>(door_.options.minimum_rate, 1));
}

void Connection::begin_body(std::string_view rest) {
  if (length() > accepted_.max_body_bytes) return refuse_large_body();
  if (streams() && request_.chunked) {
    return refuse(Refused::malformed, envelope(411, "expected a Content-Length, got a body in chunks"));
  }
  // Its handler reads it; what came with the head waits for that.
  if (streams()) return on_body_complete(rest);
  if (!request_.chunked && length() == 0) return on_body_complete(rest);
  if (buffers_body()) {
    if (!hold_body(length())) return;
    request_.body.reserve(length());
  }
  body_begun_ = Steady::now();
  chunks_.restart();
  if (!request_.expect_continue || !rest.empty()) return on_body_bytes(rest);

  keep({});
  response_head_ = "HTTP/1.1 100 Continue\r\n\r\n";
  response_body_ = {};
  written_ = 0;
  after_ = After::body;
  begin_writing();
}

void Connection::on_body_bytes(std::string_view bytes) {
  if (request_.chunked) return take_chunks(bytes);
  const auto size =
      static_cast<std::size_t>(std::min<std::uint64_t>(length() - body_received_, bytes.size()));
  if (buffers_body()) request_.body.append(bytes.substr(0, size));
  body_received_ += size;
  if (body_received_ == length()) return on_body_complete(bytes.substr(size));
  wait_for_body();
}

void Connection::take_chunks(std::string_view bytes) {
  const auto status =
      chunks_.feed(bytes, buffers_body() ? &request_.body : nullptr, accepted_.max_body_bytes);
  body_received_ = chunks_.received();
  if (status == ChunkedBody::Status::too_large) return refuse_large_body();
  if (status == ChunkedBody::Status::malformed) {
    return refuse(Refused::malformed, envelope(400, chunks_.problem()));
  }
  if (buffers_body() && !hold_body(body_received_)) return;
  if (status == ChunkedBody::Status::done) return on_body_complete(bytes);
  wait_for_body();
}

void Connection::read_body_in_place() {
  std::string& body = request_.body;
  for (;;) {
    if (body.size() == body_received_) body.resize(std::min(length(), body_received_ + kBodyStep));
    const std::size_t room = body.size() - body_received_;
    boost::system::error_code error;
    const std::size_t size = transport_.read_some(body.data() + body_received_, room, error);
    if (would_block(error)) return wait_for_body();
    if (error == boost::asio::error::eof) return on_body_broken_off();
    if (error) return close();
    door_.counters.bytes_in += size;
    body_received_ += size;
    if (body_received_ == length()) return on_body_complete({});
    if (size < room) return wait_for_body();
  }
}

void Connection::wait_for_body() {
  keep({});
  phase_ = Phase::body;
  extend_body_deadline();
  wait_readable();
}

// Whichever comes first: no byte for the whole deadline, or fewer bytes than the minimum rate asks for since
// the beginning.
void Connection::extend_body_deadline() {
  const auto allowed = door_.options.body_deadline;
  deadline_ = std::min(Steady::now() + allowed, body_begun_ + allowed + time_for(body_received_));
}

void Connection::on_body_complete(std::string_view rest) {
  keep(rest);
  submit();
}

void Connection::on_body_broken_off() {
  const std::string expected =
      request_.chunked ? "expected a last chunk" : fmt::format("expected a body of {} bytes", length());
  refuse(Refused::malformed,
         envelope(400, fmt::format("{}, the connection ended after {} bytes", expected, body_received_)));
}

void Connection::refuse_large_body() {
  refuse(Refused::body_too_large,
         envelope(413, "request body too large",
                  fmt::format(R"({{"max_size_bytes":{}}})", accepted_.max_body_bytes)));
}

bool Connection::hold_body(std::uint64_t total) {
  if (total <= body_held_) return true;
  if (door_.hold(total - body_held_)) {
    body_held_ = total;
    return true;
  }
  refuse(Refused::overloaded, try_again_later("the server holds too many request bodies at the moment"));
  return false;
}

}  // namespace collect::net
