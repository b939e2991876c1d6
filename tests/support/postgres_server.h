// SPDX-License-Identifier: Apache-2.0
// A real PostgreSQL 15 of the test's own: fresh data in a temporary folder, listening on 127.0.0.1 and on a
// socket in that folder, no durability (fsync off). Starts in about two seconds; so a test program shares one
// and gives each test its database. Throws std::runtime_error when the server is not installed or does not
// start.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "support/process.h"

namespace collect::test {

class PostgresServer {
 public:
  // `settings` are postgresql.conf settings, e.g. {{"max_connections", "20"}}.
  explicit PostgresServer(std::map<std::string, std::string> settings = {});
  ~PostgresServer();

  // The one of this test program: started at the first call, stopped at its end. Do not stop it in a test;
  // tests of faults start their own.
  static PostgresServer& shared();

  // "postgresql://collect@127.0.0.1:<port>/<database>"; the user is a superuser without password.
  [[nodiscard]] std::string url(std::string_view database = "postgres") const;
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::filesystem::path data() const;  // its data directory

  // A new empty database of that name (an old one of that name is dropped first); its url. With `from`, a
  // copy of that database, which nobody may be connected to meanwhile. Takes some tens of milliseconds.
  std::string create_database(std::string_view name, std::string_view from = "template1");
  // create_database() under a name never used before in this server.
  std::string new_database();

  // One SQL text, run as the superuser; rows as lines, columns separated by '|', null as "". Throws the
  // server's words.
  std::string sql(std::string_view database_url, const std::string& text) const;

  // Again, on the same port; returns once it accepts connections. `environment` for this time.
  void start(const std::map<std::string, std::string>& environment = {});
  void stop();                // fast: sessions are ended, data is kept
  void kill_hard();           // as a crash: SIGKILL to all of it; start() recovers
  void terminate_backends();  // ends every client's session, the server goes on
  void pause();               // SIGSTOP to all of it: connected, but silent
  void resume();
  [[nodiscard]] std::string log() const;

 private:
  void signal_backends(int number) const;

  TempDir folder_;
  std::map<std::string, std::string> settings_;
  int port_ = 0;
  int databases_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace collect::test
