// SPDX-License-Identifier: Apache-2.0
// What the tests of the door share: clients that count what they were answered, a look at the process from
// outside, and the oracle by numbers.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "journey/appliance.h"

namespace collect::test {

// What came of requests.
struct Tally {
  std::map<int, std::size_t> answers;  // by status; 0: none, the connection broke
  std::vector<std::string> receipts;   // of the 202s
  std::vector<std::string> surprises;  // answers that a client could not act on

  // Posts once and counts; 429 and 503 have to say when to come again.
  void post(Appliance& box, std::string_view body);
  void add(const Tally& other);
  [[nodiscard]] std::size_t sum() const;
  [[nodiscard]] std::size_t of(int status) const;
  [[nodiscard]] std::string text() const;
};

// Of a process, from /proc.
struct Vitals {
  explicit Vitals(pid_t of) : pid(of) {}
  pid_t pid;
  [[nodiscard]] long resident_mb() const;
  [[nodiscard]] std::chrono::milliseconds cpu_time() const;
  [[nodiscard]] std::size_t descriptors() const;
};

// `count` connections to that port of this machine, closed with the object.
class Sockets {
 public:
  explicit Sockets(int port) : port_(port) {}
  ~Sockets();
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;

  // Says `first` on each, as far as it is taken at once. Fewer where the machine has no more. 0: a receive
  // buffer as usual.
  void open(std::size_t count, std::string_view first = {}, int receive_buffer = 0);
  void close_all();
  [[nodiscard]] std::size_t size() const { return sockets_.size(); }
  // How many of them the other end has closed or reset (unread answers are read and dropped).
  std::size_t ended();

 private:
  const int port_;
  std::vector<int> sockets_;
};

// As many descriptors for this program as it may have, and for those that it starts from now on.
std::size_t raise_descriptor_limit();

class Faults : public OnEachEngine {
 protected:
  void start(Environment settings = {});
  [[nodiscard]] bool quiet();
  Appliance new_box() { return {*service_, service_->new_system()}; }
  // THE ORACLE, by numbers: queues and claims run empty by themselves, and each 202 of `tally` is booked
  // once, as `stored` or `unchanged`; nothing else is booked but what was answered by nobody.
  void expect_whole(const Tally& tally);

  std::unique_ptr<Service> service_;
};

}  // namespace collect::test
