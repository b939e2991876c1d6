// SPDX-License-Identifier: Apache-2.0
// A system that reports: a connection with credentials, and what it may ask about its reports.
#pragma once

#include <atomic>
#include <deque>
#include <string>
#include <vector>

#include "journey/service.h"
#include "support/http_client.h"

namespace collect::test {

struct ReceiptState {
  std::string status;
  bool processed = false;
  std::string record_id;  // "null" while there is none
  std::string change_count;
  std::string reason;
};

// One thread at a time.
class Appliance {
 public:
  // `doors`: the ports of several processes, one of which each post of insist() goes to; else the service's.
  Appliance(const Service& service, Login login, const std::vector<int>& doors = {});

  [[nodiscard]] const Login& login() const { return login_; }
  HttpClient& http() { return doors_[door_]; }

  HttpResponse post(std::string_view body, const HttpHeaders& headers = {});
  // How often it did, however that ended.
  [[nodiscard]] std::size_t posts() const { return posts_; }
  // Posts it; throws unless the answer is 202. The receipt.
  std::string accept(std::string_view body, const HttpHeaders& headers = {});
  // Posts the same body until it gets its 202, as `curl --retry` does: through refused and lost connections
  // and 503. Throws at any other answer, at a 503 without Retry-After, and when `stop_at` is over. With each
  // post it goes on to the next door.
  std::string insist(std::string_view body, std::chrono::steady_clock::time_point stop_at);
  // How often insist() was answered 202, and 503. From any thread.
  [[nodiscard]] std::size_t accepted() const { return accepted_; }
  [[nodiscard]] std::size_t refused() const { return refused_; }
  // How often it got no answer at all, and how long the slowest answer took. From any thread.
  [[nodiscard]] std::size_t unanswered() const { return unanswered_; }
  [[nodiscard]] milliseconds slowest() const { return slowest_; }
  ReceiptState receipt(const std::string& id);
  // Waits until each has been processed or is dead, through 503; throws when that takes too long.
  void wait_processed(const std::vector<std::string>& receipts,
                      milliseconds timeout = std::chrono::seconds(60));
  // accept() and wait_processed().
  std::string report(std::string_view body);

 private:
  HttpResponse ask(const std::string& receipt);
  void next_door() { door_ = (door_ + 1) % doors_.size(); }

  Login login_;
  std::deque<HttpClient> doors_;
  std::size_t door_ = 0;
  std::size_t posts_ = 0;
  std::atomic<std::size_t> accepted_ = 0;
  std::atomic<std::size_t> refused_ = 0;
  std::atomic<std::size_t> unanswered_ = 0;
  std::atomic<milliseconds> slowest_ = milliseconds(0);
};

// Its backups as the service lists them: their ids, and what each holds when it is fetched.
std::vector<std::string> backup_ids(Appliance& appliance);
std::vector<std::string> backup_contents(Appliance& appliance);

// A small inventory of the raw form whose only variable part is `facts.label`, so that two of them differ by
// exactly one change, an update of that path.
std::string labelled_inventory(std::string_view label, std::size_t padding = 0);

}  // namespace collect::test
