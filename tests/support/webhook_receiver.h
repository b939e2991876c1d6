// SPDX-License-Identifier: Apache-2.0
// The peer of a webhook: an HTTP server on 127.0.0.1 that keeps what it is sent, checks the signatures, and
// can be out of order in the ways that peers are. All functions are safe from any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace collect::test {

struct WebhookMessage {
  std::string id;  // X-Collect-Delivery
  std::string body;
  bool taken = false;  // answered with 200
};

class WebhookReceiver {
 public:
  enum class Mood {
    takes,    // 200
    fails,    // 500
    hangs,    // reads and never answers
    refuses,  // does not listen, and ends what is open
  };

  // Takes, from now on. A message that is not signed with `secret` gets 403 and is a problem.
  explicit WebhookReceiver(std::string secret);
  ~WebhookReceiver();
  WebhookReceiver(const WebhookReceiver&) = delete;
  WebhookReceiver& operator=(const WebhookReceiver&) = delete;

  [[nodiscard]] std::string url() const;
  [[nodiscard]] const std::string& secret() const { return secret_; }
  // Returns once it is so.
  void become(Mood mood);

  // All whose last byte came and whose signature was right, in order; repetitions too.
  [[nodiscard]] std::vector<WebhookMessage> messages() const;
  [[nodiscard]] std::size_t count() const;
  // What a sender did wrong.
  [[nodiscard]] std::vector<std::string> problems() const;

 private:
  struct Connection {
    int fd = -1;
    std::string buffer;
  };

  void run(const std::stop_token& stop);
  void follow_mood();
  void accept_one();
  // False: it is over.
  bool read(Connection& connection);
  bool answer(Connection& connection, const std::string& head, const std::string& body);
  // Why it is no good, or "".
  std::string keep(const std::string& head, const std::string& body, bool taken);
  void close_all();

  const std::string secret_;
  const int port_;
  int listener_ = -1;                    // of the thread
  std::vector<Connection> connections_;  // of the thread
  mutable std::mutex mutex_;
  // All guarded by mutex_.
  Mood mood_ = Mood::refuses;
  Mood followed_ = Mood::refuses;
  std::vector<WebhookMessage> messages_;
  std::vector<std::string> problems_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace collect::test
