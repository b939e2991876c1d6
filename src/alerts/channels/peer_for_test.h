// SPDX-License-Identifier: Apache-2.0
// An HTTP server on a free port of the loopback that keeps what it is sent and answers as it is told.
#pragma once

#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "net/server.h"

namespace collect::alerts {

class Peer {
 public:
  explicit Peer(const std::string& path) {
    router_.add(net::Method::post, path,
                net::open_to_all(10'000'000, net::BodyUse::buffer, [this](net::Request request) {
                  const std::lock_guard lock(mutex_);
                  requests_.push_back(std::move(request));
                  const std::size_t turn = std::min(requests_.size(), answers_.size()) - 1;
                  net::Response answer = answers_[turn];
                  if (delay_.count() > 0) std::this_thread::sleep_for(delay_);
                  return answer;
                }));
    if (!server_.start()) throw std::runtime_error("the peer could not be started");
  }

  [[nodiscard]] std::string origin() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }
  // The first request is answered with the first, …, all after the last with the last.
  void answer_with(std::vector<net::Response> answers) {
    const std::lock_guard lock(mutex_);
    answers_ = std::move(answers);
    requests_.clear();
  }
  void answer_with(int status, const std::string& body = "") { answer_with({response(status, body)}); }
  void answer_late(std::chrono::milliseconds delay) {
    const std::lock_guard lock(mutex_);
    delay_ = delay;
  }
  std::vector<net::Request> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  static net::Response response(int status, const std::string& body = "") {
    net::Response response;
    response.status = status;
    response.body = body;
    return response;
  }

 private:
  static net::ServerOptions any_port() {
    net::ServerOptions options;
    options.listen_address = "127.0.0.1:0";
    return options;
  }

  std::mutex mutex_;
  std::vector<net::Request> requests_;                 // guarded by mutex_
  std::vector<net::Response> answers_{response(200)};  // guarded by mutex_
  std::chrono::milliseconds delay_{0};                 // guarded by mutex_
  net::Router router_;
  Pool pool_{2, 100};
  SystemClock clock_;
  net::Server server_{any_port(), router_, pool_, clock_};
};

}  // namespace collect::alerts
