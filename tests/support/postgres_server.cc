// SPDX-License-Identifier: Apache-2.0
#include "support/postgres_server.h"

#include <libpq-fe.h>
#include <pwd.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <stdexcept>

namespace collect::test {
namespace {

std::filesystem::path program(const std::string& name) {
  for (const char* version : {"15", "16", "17", "18"}) {
    const std::filesystem::path path = std::filesystem::path("/usr/lib/postgresql") / version / "bin" / name;
    if (std::filesystem::exists(path)) return path;
  }
  throw std::runtime_error("no PostgreSQL server (" + name +
                           ") under /usr/lib/postgresql: install the Debian package postgresql "
                           "(scripts/install_packages does)");
}

// PostgreSQL refuses to run as root; its package creates this user for it.
std::string server_user() {
  return geteuid() == 0 ? "postgres" : "";
}

void give_to_server_user(const std::filesystem::path& folder) {
  const auto user = server_user();
  if (user.empty()) return;
  const passwd* entry = getpwnam(user.c_str());
  if (entry == nullptr || chown(folder.c_str(), entry->pw_uid, entry->pw_gid) != 0) {
    throw std::runtime_error(
        "as root, PostgreSQL runs as the user postgres, which the package postgresql creates; "
        "there is none");
  }
}

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using Connection = std::unique_ptr<PGconn, Finish>;

}  // namespace

PostgresServer::PostgresServer(std::map<std::string, std::string> settings) : settings_(std::move(settings)) {
  give_to_server_user(folder_.path());
  const auto made =
      run({.command = {program("initdb"), "-D", folder_.path() / "data", "--no-sync", "-A", "trust", "-U",
                       "collect", "--locale=C", "--encoding=UTF8", "--no-instructions"},
           .directory = folder_.path(),
           .user = server_user()});
  if (made.exit_code != 0) throw std::runtime_error("initdb failed: " + made.out + made.err);
  for (int tries = 0;; ++tries) {
    port_ = free_port();
    try {
      start();
      return;
    } catch (const std::runtime_error&) {
      // Somebody may have taken the port between the question and the start.
      if (tries == 3) throw;
      process_.reset();
    }
  }
}

PostgresServer::~PostgresServer() {
  try {
    resume();
    stop();
  } catch (const std::runtime_error&) {
    // Process kills what did not stop.
  }
}

PostgresServer& PostgresServer::shared() {
  static PostgresServer server;
  return server;
}

void PostgresServer::start(const std::map<std::string, std::string>& environment) {
  // Without fsync a commit still reaches the kernel, so it survives kill_hard(), only not a power cut.
  std::map<std::string, std::string> all = {{"listen_addresses", "127.0.0.1"},
                                            {"port", std::to_string(port_)},
                                            {"unix_socket_directories", folder_.path()},
                                            {"fsync", "off"},
                                            {"full_page_writes", "off"},
                                            {"shared_buffers", "32MB"},
                                            {"dynamic_shared_memory_type", "mmap"},
                                            {"log_lock_waits", "on"},
                                            {"timezone", "UTC"}};
  for (const auto& [name, value] : settings_) all[name] = value;
  std::vector<std::string> command = {program("postgres"), "-D", folder_.path() / "data"};
  for (const auto& [name, value] : all) {
    command.insert(command.end(), {"-c", name + "=" + value});
  }
  // After a kill_hard() the old server's backends may need a moment to notice; the new one refuses meanwhile.
  std::string reason;
  const bool up = eventually(
      [&] {
        if (!process_ || !process_->running()) {
          if (process_) reason = process_->err();
          process_ = std::make_unique<Process>(ProcessOptions{.command = command,
                                                              .environment = environment,
                                                              .directory = folder_.path(),
                                                              .user = server_user()});
          sleep_for(milliseconds(50));
        }
        return PQping(url().c_str()) == PQPING_OK;
      },
      std::chrono::seconds(60));
  if (!up) throw std::runtime_error("PostgreSQL did not start: " + reason + process_->err());
}

void PostgresServer::stop() {
  if (process_) process_->stop(std::chrono::seconds(20), SIGINT);
}

void PostgresServer::kill_hard() {
  signal_backends(SIGKILL);
  process_->kill_hard();
}

void PostgresServer::pause() {
  process_->signal(SIGSTOP);
  signal_backends(SIGSTOP);
}

void PostgresServer::resume() {
  signal_backends(SIGCONT);
  process_->signal(SIGCONT);
}

// Each backend leads a process group of its own, so the postmaster's group does not hold them.
void PostgresServer::signal_backends(int number) const {
  if (!process_) return;
  const std::string children =
      "/proc/" + std::to_string(process_->pid()) + "/task/" + std::to_string(process_->pid()) + "/children";
  std::ifstream stream(children);
  for (pid_t pid = 0; stream >> pid;) kill(pid, number);
}

void PostgresServer::terminate_backends() {
  sql(url(),
      "select pg_terminate_backend(pid) from pg_stat_activity "
      "where backend_type = 'client backend' and pid <> pg_backend_pid()");
}

std::string PostgresServer::url(std::string_view database) const {
  return "postgresql://collect@127.0.0.1:" + std::to_string(port_) + "/" + std::string(database);
}

std::string PostgresServer::create_database(std::string_view name, std::string_view from) {
  const std::string quoted = "\"" + std::string(name) + "\"";
  sql(url(), "drop database if exists " + quoted + " with (force)");
  sql(url(), "create database " + quoted + " template \"" + std::string(from) + "\"");
  return url(name);
}

std::string PostgresServer::new_database() {
  return create_database("test_" + std::to_string(++databases_));
}

std::string PostgresServer::sql(std::string_view database_url, const std::string& text) const {
  const Connection connection(PQconnectdb(std::string(database_url).c_str()));
  if (PQstatus(connection.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection.get(), text.c_str()),
                                                             &PQclear);
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    throw std::runtime_error(std::string(PQerrorMessage(connection.get())) + "in: " + text);
  }
  std::string lines;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      if (column > 0) lines += '|';
      lines += PQgetvalue(result.get(), row, column);
    }
    lines += '\n';
  }
  return lines;
}

std::filesystem::path PostgresServer::data() const {
  return folder_.path() / "data";
}

std::string PostgresServer::log() const {
  return process_ ? process_->err() : "";
}

}  // namespace collect::test
