// SPDX-License-Identifier: Apache-2.0
#include "net/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <functional>
#include <new>
#include <utility>

#include "base/log.h"

namespace collect::net {
namespace {

Refused kind_of(int status) {
  return status == 414 || status == 431 ? Refused::header_too_large : Refused::malformed;
}

}  // namespace

Connection::Connection(Loop& loop, Transport transport, std::string peer_address)
    : loop_(loop),
      door_(loop.door()),
      transport_(std::move(transport)),
      peer_address_(std::move(peer_address)),
      scanner_(door_.options.header_limit) {
  loop_.add(*this);
}

Connection::~Connection() {
  close();
  forget_request();
  loop_.remove(*this);
}

void Connection::start() {
  // Whoever connects has something to say: the first head is due at once, the idle time is for later ones.
  expire_in(door_.options.header_deadline);
  wait_readable();
}

void Connection::close() {
  if (phase_ == Phase::closed) return;
  phase_ = Phase::closed;
  deadline_ = Steady::time_point::max();
  auto job = Job::waiting;
  job_.compare_exchange_strong(job, Job::given_up);
  // A thread of the pool may be at the socket: it is closed for good when that comes back.
  if (job == Job::running) {
    transport_.interrupt();
  } else {
    note_tls_failure();
    transport_.close();
  }
  --door_.counters.connections_open;
}

void Connection::note_tls_failure() {
  const bool unfinished = transport_.in_handshake();
  const std::string_view problem = transport_.tls_problem();
  if (!unfinished && problem.empty()) return;
  ++door_.counters.tls_failures;
  log::debug("tls_failed",
             {{"peer", peer_address_}, {"problem", problem.empty() ? "not finished" : problem}});
}

void Connection::end() {
  if (phase_ != Phase::closed) transport_.shut_down_sending();
  close();
}

void Connection::drain() {
  if (phase_ == Phase::idle && !transport_.has_input()) end();
}

void Connection::cut() {
  const auto self = shared_from_this();
  deadline_ = Steady::time_point::max();
  switch (phase_) {
    case Phase::head:
      return refuse(Refused::too_slow,
                    envelope(408, fmt::format("expected the whole request head within {} ms, it did not come",
                                              door_.options.header_deadline.count())));
    case Phase::body:
      return refuse(
          Refused::too_slow,
          envelope(408, fmt::format(
                            "expected the request body faster, got {} bytes in {} ms", body_received_,
                            std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - body_begun_)
                                .count())));
    case Phase::pool: {
      auto waiting = Job::waiting;
      if (!job_.compare_exchange_strong(waiting, Job::given_up)) return;
      return refuse(Refused::overloaded, try_again_later("the server is too busy to answer in time"));
    }
    case Phase::writing:
      door_.counters.count(Refused::too_slow);
      return close();
    case Phase::idle:
      return end();
    case Phase::lingering:
    case Phase::closed:
      return close();
  }
}

// A deadline may end a phase while its wait for input goes on; the next phase that wants input takes that
// wait over, so that there is never more than one.
void Connection::wait_readable() {
  if (std::exchange(waiting_for_input_, true)) return;
  transport_.when_readable([self = shared_from_this()](const boost::system::error_code& error) {
    self->waiting_for_input_ = false;
    if (error) return self->close();
    self->on_readable();
  });
}

void Connection::on_readable() {
  if (phase_ == Phase::lingering) return read_lingering();
  if (phase_ != Phase::idle && phase_ != Phase::head && phase_ != Phase::body) return;
  if (phase_ == Phase::body && !request_.chunked && buffers_body()) return read_body_in_place();

  boost::system::error_code error;
  const std::size_t size = transport_.read_some(loop_.scratch(), Loop::kScratch, error);
  if (would_block(error)) return wait_readable();
  if (phase_ == Phase::body && error == boost::asio::error::eof) return on_body_broken_off();
  if (error) return close();
  door_.counters.bytes_in += size;
  const std::string_view bytes(loop_.scratch(), size);
  if (phase_ == Phase::body) return on_body_bytes(bytes);
  on_head_bytes(bytes);
}

void Connection::next_request() {
  forget_request();
  scanner_.restart();
  phase_ = Phase::idle;
  if (pending_.empty()) {
    // Only an answer that was being written when draining began comes here.
    if (door_.draining && !transport_.has_input()) return end();
    if (pending_.capacity() > 4096) std::string().swap(pending_);
    expire_in(door_.options.idle_deadline);
    return wait_readable();
  }
  // By way of the queue: a client that pipelines must neither grow the stack nor keep the loop to itself.
  boost::asio::post(loop_.io(), [self = shared_from_this()] {
    if (self->phase_ == Phase::idle) self->on_head_bytes({});
  });
}

void Connection::on_head_bytes(std::string_view fresh) {
  if (phase_ == Phase::idle) {
    phase_ = Phase::head;
    expire_in(door_.options.header_deadline);
  }
  const bool joined = !pending_.empty();
  if (joined) pending_.append(fresh);
  const std::string_view bytes = joined ? std::string_view(pending_) : fresh;

  const HeadScanner::Outcome outcome = scanner_.scan(bytes);
  if (const auto* refusal = std::get_if<Refusal>(&outcome)) {
    return refuse(kind_of(refusal->status), envelope(refusal->status, refusal->message));
  }
  if (const auto* complete = std::get_if<HeadScanner::Complete>(&outcome)) {
    return on_head(bytes.substr(complete->begin, complete->end - complete->begin),
                   bytes.substr(complete->end));
  }
  if (!joined) pending_.assign(fresh);
  wait_readable();
}

void Connection::on_head(std::string_view raw, std::string_view rest) {
  auto outcome = read_head(raw);
  if (const auto* refusal = std::get_if<Refusal>(&outcome)) {
    return refuse(kind_of(refusal->status), envelope(refusal->status, refusal->message));
  }
  static_cast<RequestHead&>(request_) = std::get<RequestHead>(std::move(outcome));
  ++door_.counters.requests;
  request_id_ = door_.next_request_id();
  request_.request_id = request_id_;
  request_.peer_address = peer_address_;
  request_.received_at = door_.clock.now();

  Admission admission = admit_safely();
  if (auto* response = std::get_if<Response>(&admission)) return answer_unread(std::move(*response), rest);
  if (auto* accepted = std::get_if<Accepted>(&admission)) {
    accepted_ = std::move(*accepted);
    return begin_body(rest);
  }
  keep(rest);
  decide_ = std::move(std::get<Blocking>(admission).decide);
  submit();
}

Admission Connection::admit_safely() {
  try {
    return door_.router.admit(request_);
  } catch (const std::bad_alloc&) {
    return no_memory();
  } catch (const std::exception& problem) {
    return handler_failed(problem.what());
  } catch (...) {
    return handler_failed("an exception of unknown type");
  }
}

void Connection::keep(std::string_view rest) {
  if (rest.empty()) return pending_.clear();
  const std::less_equal<> before;
  const bool own =
      before(pending_.data(), rest.data()) && before(rest.data(), pending_.data() + pending_.size());
  if (own) {
    pending_.erase(0, static_cast<std::size_t>(rest.data() - pending_.data()));
  } else {
    pending_.assign(rest);
  }
}

void Connection::forget_request() {
  if (body_held_ > 0) door_.release(std::exchange(body_held_, 0));
  if (answer_held_ > 0) door_.release_answer(std::exchange(answer_held_, 0));
  request_ = Request{};
  request_id_.clear();
  accepted_ = Accepted{};
  body_received_ = 0;
  std::string().swap(response_.body);
}

}  // namespace collect::net
