// SPDX-License-Identifier: Apache-2.0
#include "backend/redis/connection.h"

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>

namespace collect::redis {
namespace {

constexpr std::size_t kMaxIdle = 16;

timeval to_timeval(std::chrono::milliseconds time) {
  timeval out{};
  out.tv_sec = static_cast<decltype(out.tv_sec)>(time.count() / 1000);
  out.tv_usec = static_cast<decltype(out.tv_usec)>(time.count() % 1000 * 1000);
  return out;
}

// The first word of an error reply is its kind.
Failure refused(std::string_view error) {
  static constexpr std::array<std::string_view, 19> kForNow = {
      "LOADING",   "READONLY",  "OOM",       "MISCONF",     "BUSY",      "NOREPLICAS", "MASTERDOWN",
      "NOAUTH",    "WRONGPASS", "NOPERM",    "CLUSTERDOWN", "TRYAGAIN",  "MOVED",      "ASK",
      "UNBLOCKED", "NOPROTO",   "EXECABORT", "DENIED",      "UNKILLABLE"};
  const auto kind = error.substr(0, error.find(' '));
  const bool for_now = std::find(kForNow.begin(), kForNow.end(), kind) != kForNow.end() ||
                       error.find("max number of clients") != std::string_view::npos;
  auto message = fmt::format("Redis refused: {}", error.substr(0, 300));
  return for_now ? unavailable(std::move(message)) : internal(std::move(message));
}

}  // namespace

// ---------------------------------------------------------------- replies

Reply::Type Reply::type() const {
  switch (reply_ ? reply_->type : REDIS_REPLY_NIL) {
    case REDIS_REPLY_INTEGER:
      return Type::integer;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      return Type::text;
    case REDIS_REPLY_ARRAY:
      return Type::array;
    default:
      return Type::nil;
  }
}

std::int64_t Reply::integer() const {
  return type() == Type::integer ? reply_->integer : 0;
}

std::string_view Reply::text() const {
  return type() == Type::text ? std::string_view(reply_->str, reply_->len) : std::string_view();
}

std::size_t Reply::size() const {
  return type() == Type::array ? reply_->elements : 0;
}

Reply Reply::at(std::size_t i) const {
  if (i >= size()) return Reply(nullptr);
  return Reply(std::shared_ptr<redisReply>(reply_, reply_->element[i]));
}

std::vector<std::string> Reply::texts() const {
  std::vector<std::string> out;
  out.reserve(size());
  for (std::size_t i = 0; i < size(); ++i) out.emplace_back(at(i).text());
  return out;
}

// ---------------------------------------------------------------- connection

Result<std::unique_ptr<Connection>> Connection::open(const ConnectionOptions& options) {
  const timeval patience = to_timeval(options.connect_timeout);
  redisContext* context = options.unix_socket.empty()
                              ? redisConnectWithTimeout(options.host.c_str(), options.port, patience)
                              : redisConnectUnixWithTimeout(options.unix_socket.c_str(), patience);
  if (context == nullptr) return unavailable("no memory for a connection to Redis");
  std::unique_ptr<Connection> connection(new Connection(context));
  const std::string where =
      options.unix_socket.empty() ? fmt::format("{}:{}", options.host, options.port) : options.unix_socket;
  if (context->err != 0) {
    return unavailable(fmt::format("cannot connect to Redis at {}: {}", where, context->errstr));
  }
  redisSetTimeout(context, to_timeval(options.command_timeout));
  if (options.unix_socket.empty()) redisEnableKeepAlive(context);
  if (auto introduced = connection->introduce(options); !introduced) return introduced.failure();
  return connection;
}

Result<void> Connection::introduce(const ConnectionOptions& options) {
  if (!options.password.empty()) {
    auto known = options.user.empty() ? command({"AUTH", options.password})
                                      : command({"AUTH", options.user, options.password});
    if (!known) {
      return known.failure().kind == FailureKind::unavailable
                 ? known.failure()
                 : unavailable("Redis did not accept the password: " + known.failure().message);
    }
  }
  if (options.database != 0) {
    auto selected = command({"SELECT", std::to_string(options.database)});
    if (!selected) return selected.failure();
  }
  return {};
}

Connection::~Connection() {
  redisFree(context_);
}

Failure Connection::broken(std::string_view doing) {
  return unavailable(fmt::format("the connection to Redis broke while {}: {}", doing,
                                 context_->errstr[0] != '\0' ? context_->errstr : "no reason given"));
}

Result<Reply> Connection::command(Arguments arguments) {
  std::vector<const char*> parts;
  std::vector<std::size_t> sizes;
  parts.reserve(arguments.size());
  sizes.reserve(arguments.size());
  for (const auto& argument : arguments) {
    parts.push_back(argument.data() == nullptr ? "" : argument.data());
    sizes.push_back(argument.size());
  }
  void* raw = redisCommandArgv(context_, static_cast<int>(parts.size()), parts.data(), sizes.data());
  if (raw == nullptr) return broken("waiting for a reply");
  const std::shared_ptr<redisReply> reply(static_cast<redisReply*>(raw), freeReplyObject);
  if (reply->type == REDIS_REPLY_ERROR) return refused({reply->str, reply->len});
  return Reply(reply);
}

Result<std::optional<Reply>> Connection::receive(std::chrono::milliseconds patience) {
  void* raw = nullptr;
  // What was read with an earlier message may hold the next one already.
  if (redisGetReplyFromReader(context_, &raw) != REDIS_OK) return broken("listening");
  if (raw == nullptr) {
    pollfd socket{.fd = context_->fd, .events = POLLIN, .revents = 0};
    const int ready = poll(&socket, 1, static_cast<int>(patience.count()));
    if (ready <= 0) return std::optional<Reply>();
    if (redisGetReply(context_, &raw) != REDIS_OK) return broken("listening");
  }
  const std::shared_ptr<redisReply> reply(static_cast<redisReply*>(raw), freeReplyObject);
  if (reply->type == REDIS_REPLY_ERROR) return refused({reply->str, reply->len});
  return std::optional<Reply>(Reply(reply));
}

bool Connection::usable() const {
  return context_->err == 0;
}

bool Connection::still_open() const {
  if (!usable()) return false;
  // Nothing is owed to us: what can be read now is the end, or out of step.
  pollfd socket{.fd = context_->fd, .events = POLLIN, .revents = 0};
  return poll(&socket, 1, 0) == 0;
}

// ---------------------------------------------------------------- pool

std::unique_ptr<Connection> ConnectionPool::take_idle() {
  while (true) {
    std::unique_ptr<Connection> idle;
    {
      const std::lock_guard lock(mutex_);
      if (idle_.empty()) return nullptr;
      idle = std::move(idle_.back());
      idle_.pop_back();
    }
    if (idle->still_open()) return idle;
  }
}

Result<std::unique_ptr<Connection>> ConnectionPool::take() {
  const auto until = std::chrono::steady_clock::now() + options_.connect_timeout;
  while (true) {
    if (auto idle = take_idle()) return idle;
    auto opened = Connection::open(options_);
    if (opened || opened.failure().message.find(std::strerror(EMFILE)) == std::string::npos) return opened;
    std::unique_lock lock(mutex_);
    if (!put_back_.wait_until(lock, until, [this] { return !idle_.empty(); })) return opened;
  }
}

void ConnectionPool::put_back(std::unique_ptr<Connection> connection) {
  if (!connection->usable()) return;
  {
    const std::lock_guard lock(mutex_);
    if (idle_.size() >= kMaxIdle) return;
    idle_.push_back(std::move(connection));
  }
  put_back_.notify_one();
}

// ---------------------------------------------------------------- facts

namespace {

// The value of "name:value" in the text of INFO.
std::string info_value(std::string_view info, std::string_view name) {
  for (std::size_t at = 0; at < info.size();) {
    const auto end = std::min(info.find('\n', at), info.size());
    auto line = info.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':') {
      return std::string(line.substr(name.size() + 1));
    }
    at = end + 1;
  }
  return {};
}

template <class Number>
Number number_in(const std::string& text) {
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

Result<ServerFacts> server_facts(Connection& connection) {
  auto reply = connection.command({"INFO", "everything"});
  if (!reply) return reply.failure();
  const auto info = reply->text();
  ServerFacts facts;
  facts.version = info_value(info, "redis_version");
  facts.major_version = number_in<int>(facts.version);
  facts.cluster = info_value(info, "cluster_enabled") == "1";
  facts.replica = info_value(info, "role") == "slave";
  if (const auto enabled = info_value(info, "aof_enabled"); !enabled.empty())
    facts.append_only = enabled == "1";
  facts.maxmemory_policy = info_value(info, "maxmemory_policy");
  facts.maxmemory = number_in<std::uint64_t>(info_value(info, "maxmemory"));
  facts.used_memory = number_in<std::uint64_t>(info_value(info, "used_memory"));
  facts.write_failing = info_value(info, "aof_last_write_status") == "err" ||
                        info_value(info, "rdb_last_bgsave_status") == "err";
  const auto time = connection.command({"TIME"});
  if (!time) return time.failure();
  facts.now = Time(std::chrono::seconds(number_in<std::int64_t>(std::string(time->at(0).text()))) +
                   std::chrono::microseconds(number_in<std::int64_t>(std::string(time->at(1).text()))));
  const auto fsync = connection.command({"CONFIG", "GET", "appendfsync"});
  // Hosted servers may forbid CONFIG; the rest is worth knowing all the same. A server that went away in the
  // middle has forbidden nothing.
  if (!fsync && !connection.usable()) return fsync.failure();
  if (fsync && fsync->size() == 2) facts.append_fsync = fsync->at(1).text();
  return facts;
}

}  // namespace collect::redis
