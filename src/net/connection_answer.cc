// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>
#include <new>
#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "net/connection.h"

namespace collect::net {
namespace {

constexpr std::size_t kLongAnswer = 64U << 10U;  // shorter ones are as good as sent

}  // namespace

void Connection::submit() {
  phase_ = Phase::pool;
  expire_in(door_.options.handler_timeout);
  job_ = Job::waiting;
  ++door_.jobs;
  Pool& pool = !decide_ && accepted_.pool != nullptr ? *accepted_.pool : door_.pool;
  if (pool.try_run([self = shared_from_this()]() mutable { run_job(std::move(self)); })) return;
  --door_.jobs;
  job_ = Job::none;
  door_.counters.count(Refused::overloaded);
  Response response = try_again_later("the server is too busy, try again later");
  if (std::exchange(decide_, nullptr) || streams()) return answer_unread(std::move(response), pending_);
  answer(std::move(response), After::next_request);
}

// noexcept: thrown out of here, the connection would end on this thread while its loop still sees it. A
// process that has no memory for an answer ends instead, and is started again; nothing is lost with it.
void Connection::run_job(std::shared_ptr<Connection> self) noexcept {
  struct Leave {
    Door& door;
    ~Leave() { --door.jobs; }
  } const leave{self->door_};
  auto waiting = Job::waiting;
  if (self->job_.compare_exchange_strong(waiting, Job::running)) {
    if (self->decide_) {
      self->decision_ = self->decide_safely();
    } else if (self->streams()) {
      self->run_stream();
    } else {
      self->response_ = self->handle_safely();
    }
  }
  // The last hold moves along, so that a connection is never taken down on a thread of the pool.
  boost::asio::io_context& io = self->loop_.io();
  boost::asio::post(io, [self = std::move(self)] { self->on_job_done(); });
}

std::variant<Response, Accepted> Connection::decide_safely() {
  try {
    return decide_();
  } catch (const std::bad_alloc&) {
    return no_memory();
  } catch (const std::exception& problem) {
    return handler_failed(problem.what());
  } catch (...) {
    return handler_failed("an exception of unknown type");
  }
}

Response Connection::handle_safely() {
  try {
    Response response = accepted_.handle(std::move(request_));
    if (response.source && !streams()) return handler_failed("a stream from an endpoint that has none");
    return response;
  } catch (const std::bad_alloc&) {
    return no_memory();
  } catch (const std::exception& problem) {
    return handler_failed(problem.what());
  } catch (...) {
    return handler_failed("an exception of unknown type");
  }
}

Response Connection::handler_failed(std::string_view what) {
  ++door_.counters.handler_failures;
  log::error("request_failed", {{"request_id", request_id_}, {"route", request_.route}, {"error", what}});
  return envelope(500, "internal error",
                  json::Writer().begin_object().member("request_id", request_id_).end_object().text());
}

// Nobody's bug: another moment, or a smaller request, may have what this one needed.
Response Connection::no_memory() {
  door_.counters.count(Refused::overloaded);
  log::warn("request_without_memory", {{"request_id", request_id_}, {"route", request_.route}});
  return try_again_later("the server has not enough memory at the moment");
}

void Connection::on_job_done() {
  const Job job = job_.exchange(Job::none);
  if (job != Job::running || phase_ == Phase::closed) return;
  if (!std::exchange(decide_, nullptr)) {
    return streams() ? on_stream_done() : answer(std::move(response_), After::next_request);
  }
  if (auto* response = std::get_if<Response>(&decision_))
    return answer_unread(std::move(*response), pending_);
  accepted_ = std::get<Accepted>(std::move(decision_));
  begin_body(pending_);
}

// A body that is here already is dropped and the connection goes on; one that is not would have to be waited
// for.
void Connection::answer_unread(Response response, std::string_view rest) {
  const std::uint64_t missing = length() - body_received_;
  if (request_.chunked || rest.size() < missing) {
    keep({});
    return answer(std::move(response), After::linger);
  }
  keep(rest.substr(static_cast<std::size_t>(missing)));
  answer(std::move(response), After::next_request);
}

void Connection::refuse(Refused kind, Response response) {
  door_.counters.count(kind);
  keep({});
  answer(std::move(response), After::linger);
}

void Connection::answer(Response response, After after) {
  prepare(std::move(response), after, loop_.date(door_.clock.now()));
  begin_writing();
}

void Connection::prepare(Response response, After after, std::string_view date) {
  if (after == After::next_request && (!request_.keep_alive || door_.draining)) {
    after = pending_.empty() ? After::close : After::linger;
  }
  // Before the client can see the answer, so that whoever was answered no longer counts.
  if (body_held_ > 0) door_.release(std::exchange(body_held_, 0));
  if (answer_held_ > 0) door_.release_answer(std::exchange(answer_held_, 0));
  if (request_id_.empty()) request_id_ = door_.next_request_id();
  response_ = std::move(response);
  if (const std::size_t size = response_.body.size(); size > kLongAnswer) {
    if (door_.hold_answer(size)) {
      answer_held_ = size;
    } else {
      door_.counters.count(Refused::overloaded);
      response_ = try_again_later("the server holds too many answers at the moment");
    }
  }
  if (response_.status < 200 || response_.status > 599) response_.status = 500;
  ++door_.counters.answers[static_cast<std::size_t>(response_.status / 100)];

  response_head_.clear();
  append_head(response_head_, response_,
              {request_id_, date, request_.http_minor, after == After::next_request});
  const bool body = status_has_body(response_.status) && request_.method != Method::head;
  response_body_ = body ? std::string_view(response_.body) : std::string_view();
  written_ = 0;
  after_ = after;
}

void Connection::begin_writing() {
  write_begun_ = Steady::now();
  extend_write_deadline();
  write();
}

// As for bodies: no byte taken for the whole deadline, or fewer than the minimum rate asks for since the
// beginning.
void Connection::extend_write_deadline() {
  const auto allowed = door_.options.write_deadline;
  deadline_ = std::min(Steady::now() + allowed, write_begun_ + allowed + time_for(written_));
}

void Connection::write() {
  phase_ = Phase::writing;
  const std::string_view head = response_head_;
  while (written_ < head.size() + response_body_.size()) {
    const std::size_t of_body = written_ - std::min(written_, head.size());
    boost::system::error_code error;
    const std::size_t size = transport_.write_some(head.substr(std::min(written_, head.size())),
                                                   response_body_.substr(of_body), error);
    if (would_block(error)) {
      return transport_.when_writable([self = shared_from_this()](const boost::system::error_code& failed) {
        if (failed) return self->close();
        if (self->phase_ == Phase::writing) self->write();
      });
    }
    if (error) return close();
    written_ += size;
    door_.counters.bytes_out += size;
    extend_write_deadline();
  }
  on_written();
}

void Connection::on_written() {
  switch (after_) {
    case After::body:
      return wait_for_body();
    case After::next_request:
      return next_request();
    case After::linger:
      return linger();
    case After::close:
      return end();
  }
}

// Closing a socket with unread input resets the connection, and the reset can overtake the answer. So the
// answer's end is told first, and what the client is still sending is read and dropped for a while.
void Connection::linger() {
  transport_.shut_down_sending();
  phase_ = Phase::lingering;
  lingered_ = 0;
  forget_request();
  expire_in(door_.options.linger_deadline);
  wait_readable();
}

void Connection::read_lingering() {
  while (lingered_ <= door_.options.linger_bytes) {
    boost::system::error_code error;
    const std::size_t size = transport_.read_some(loop_.scratch(), Loop::kScratch, error);
    if (would_block(error)) return wait_readable();
    if (error) return close();
    lingered_ += size;
  }
  close();
}

}  // namespace collect::net
