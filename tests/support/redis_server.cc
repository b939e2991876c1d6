// SPDX-License-Identifier: Apache-2.0
#include "support/redis_server.h"

#include <csignal>
#include <stdexcept>

#include "support/http_client.h"

namespace collect::test {
namespace {

constexpr int kNoSuchProgram = 127;

// True once the server answers PING on its own port, asked in the protocol's inline form.
bool answers(int port) {
  try {
    HttpClient client(port, std::chrono::seconds(2));
    client.send("PING\r\n");
    client.send("QUIT\r\n");
    return client.receive_rest().starts_with("+PONG");
  } catch (const std::runtime_error&) {
    return false;
  }
}

}  // namespace

RedisServer::RedisServer(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {
  for (int tries = 0;; ++tries) {
    port_ = free_port();
    try {
      start();
      return;
    } catch (const std::runtime_error&) {
      if (tries == 3) throw;
    }
  }
}

RedisServer::~RedisServer() {
  resume();
  process_->stop(std::chrono::seconds(5));
}

RedisServer& RedisServer::shared() {
  static RedisServer server;
  return server;
}

void RedisServer::start(const std::vector<std::string>& more,
                        std::map<std::string, std::string> environment) {
  std::vector<std::string> command = {"redis-server",
                                      "--port",
                                      std::to_string(port_),
                                      "--bind",
                                      "127.0.0.1",
                                      "--dir",
                                      folder_.path(),
                                      "--appendonly",
                                      "yes",
                                      "--save",
                                      ""};
  command.insert(command.end(), arguments_.begin(), arguments_.end());
  command.insert(command.end(), more.begin(), more.end());
  process_ = std::make_unique<Process>(ProcessOptions{
      .command = std::move(command), .environment = std::move(environment), .directory = folder_.path()});
  eventually([this] { return answers(port_) || !process_->running(); }, std::chrono::seconds(60));
  if (answers(port_)) return;
  if (process_->wait_exit(milliseconds(0)) == kNoSuchProgram) {
    throw std::runtime_error(
        "no redis-server in PATH: install the Debian package redis-server (scripts/install_packages does)");
  }
  throw std::runtime_error("Redis did not start: " + process_->out() + process_->err());
}

void RedisServer::stop() {
  process_->stop(std::chrono::seconds(10));
}
void RedisServer::kill_hard() {
  process_->kill_hard();
}
void RedisServer::pause() {
  process_->signal(SIGSTOP);
}
void RedisServer::resume() {
  process_->signal(SIGCONT);
}

std::string RedisServer::url() const {
  return "redis://127.0.0.1:" + std::to_string(port_);
}

std::string RedisServer::cli(std::vector<std::string> arguments, std::string_view input) const {
  arguments.insert(arguments.begin(), {"redis-cli", "-p", std::to_string(port_)});
  auto result = run({.command = std::move(arguments), .input = std::string(input)}, std::chrono::seconds(20));
  if (result.exit_code != 0) throw std::runtime_error("redis-cli: " + result.out + result.err);
  if (result.out.ends_with('\n')) result.out.pop_back();
  return result.out;
}

void RedisServer::flush() {
  cli({"flushall"});
}

}  // namespace collect::test
