// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/connection.h"

#include <fmt/format.h>
#include <poll.h>

#include <array>
#include <cerrno>

namespace collect::postgres {
namespace {

// More than the adapter has texts; a bound all the same, since the server keeps them too.
constexpr std::size_t kMaxPrepared = 256;
constexpr std::chrono::seconds kGrace{2};

std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

Diagnosis diagnosis_of(const Rows& error) {
  const auto field = [&](int code) {
    const char* text = PQresultErrorField(error.raw(), code);
    return std::string_view(text == nullptr ? "" : text);
  };
  return {field(PG_DIAG_SQLSTATE), field(PG_DIAG_MESSAGE_PRIMARY), field(PG_DIAG_TABLE_NAME),
          field(PG_DIAG_COLUMN_NAME), field(PG_DIAG_CONSTRAINT_NAME)};
}

// With a bare @ or / in the password, libpq takes a part of it for the host, and tells that in its messages.
bool is_ambiguous(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return false;
  const auto address = url.substr(scheme + 3, url.find('?', scheme) - scheme - 3);
  const auto last = address.rfind('@');
  return last != std::string_view::npos && (address.find('@') != last || address.find('/') < last);
}

}  // namespace

Connection::Connection(const SessionOptions& options) : options_(options) {
  connect();
  PQsetNoticeProcessor(
      handle_.get(), [](void*, const char*) {}, nullptr);
  if (PQsetnonblocking(handle_.get(), 1) != 0 || PQenterPipelineMode(handle_.get()) == 0) {
    lose("libpq offers no pipeline");
  }
  set_up();
}

void Connection::connect() {
  char* complaint = nullptr;
  auto* const parsed = PQconninfoParse(options_.url.c_str(), &complaint);
  PQfreemem(complaint);  // may quote a part of the password, so nobody reads it
  if (parsed == nullptr || is_ambiguous(options_.url)) {
    PQconninfoFree(parsed);
    throw Fault(invalid(
        "DATABASE_URL is no PostgreSQL address: expected postgresql://user:password@host:port/database "
        "with special characters in percent encoding"));
  }
  PQconninfoFree(parsed);
  const auto connect_seconds = std::to_string(std::max<long>(2, options_.connect_timeout.count()));
  const auto silence = std::to_string((options_.statement_timeout + kGrace).count());
  // What stands before dbname is a default that the address may override; what stands after it is not.
  const std::array<const char*, 8> names = {
      "connect_timeout",           "tcp_user_timeout", "keepalives_idle", "keepalives_interval",
      "fallback_application_name", "dbname",           "client_encoding", nullptr};
  const std::array<const char*, 8> values = {
      connect_seconds.c_str(), silence.c_str(), "30", "10", "collect", options_.url.c_str(), "UTF8", nullptr};
  handle_.reset(PQconnectdbParams(names.data(), values.data(), 1));
  if (PQstatus(handle_.get()) != CONNECTION_OK) {
    throw Fault(unavailable(
        fmt::format("no connection to PostgreSQL: {}", first_line(PQerrorMessage(handle_.get())))));
  }
}

void Connection::set_up() {
  // jit pays off for long scans only, and the bias against sequential ones would look like long scans to it.
  const auto settings = fmt::format(
      "SELECT set_config(name, value, false) FROM (VALUES ('timezone', 'UTC'), ('datestyle', 'ISO'), "
      "('intervalstyle', 'iso_8601'), ('bytea_output', 'hex'), ('statement_timeout', '{}'), "
      "('idle_in_transaction_session_timeout', '{}'), ('enable_seqscan', 'off'), ('jit', 'off')) AS s(name, "
      "value)",
      options_.statement_timeout.count(), 2 * options_.statement_timeout.count());
  const Statement statement{settings, {}, false};
  run({&statement, 1});
}

Rows Connection::run(std::string sql, Params params) {
  const Statement statement{std::move(sql), std::move(params), true};
  return std::move(run({&statement, 1}).front());
}

std::vector<Rows> Connection::run(std::span<const Statement> statements) {
  if (statements.empty()) return {};
  if (prepared_.size() > kMaxPrepared) {
    prepared_.clear();
    script("DEALLOCATE ALL");
  }
  std::vector<Sent> sent;
  sent.reserve(statements.size());
  for (const auto& statement : statements) sent.push_back(send(statement));
  check_sent(PQpipelineSync(handle_.get()));
  return receive(sent);
}

Connection::Sent Connection::send(const Statement& statement) {
  const auto raw = statement.params.raw();
  const int count = static_cast<int>(raw.values.size());
  const auto& sql = statement.sql;
  if (!statement.kept) {
    check_sent(PQsendQueryParams(handle_.get(), sql.c_str(), count, raw.types.data(), raw.values.data(),
                                 raw.lengths.data(), raw.formats.data(), 0));
    return {&statement, {}, false};
  }
  const auto [place, fresh] = prepared_.try_emplace(sql);
  if (fresh) {
    place->second = fmt::format("c{}", ++names_);
    check_sent(PQsendPrepare(handle_.get(), place->second.c_str(), sql.c_str(), count, raw.types.data()));
  }
  check_sent(PQsendQueryPrepared(handle_.get(), place->second.c_str(), count, raw.values.data(),
                                 raw.lengths.data(), raw.formats.data(), 0));
  return {&statement, place->second, fresh};
}

void Connection::check_sent(int accepted) {
  if (accepted == 0) lose(first_line(PQerrorMessage(handle_.get())));
}

// Reads every answer up to the pipeline's end, also after an error: only then may the next be sent.
std::vector<Rows> Connection::receive(const std::vector<Sent>& sent) {
  const auto deadline = Clock::now() + options_.statement_timeout + kGrace;
  std::vector<Rows> all;
  all.reserve(sent.size());
  std::optional<Rows> error;
  const auto take = [&]() -> ExecStatusType {
    auto rows = next_result(deadline);
    const auto status = rows.status();
    end_of_statement(deadline);
    if (status == PGRES_FATAL_ERROR && !error) {
      error.emplace(std::move(rows));
    } else {
      all.push_back(std::move(rows));
    }
    return status;
  };
  for (const auto& one : sent) {
    if (one.prepares) {
      if (take() == PGRES_COMMAND_OK) {
        all.pop_back();
      } else {
        prepared_.erase(one.statement->sql);
      }
    }
    take();
  }
  next_result(deadline);  // PGRES_PIPELINE_SYNC
  if (PQstatus(handle_.get()) != CONNECTION_OK) usable_ = false;
  if (error) fail(*error);
  return all;
}

Rows Connection::next_result(Clock::time_point deadline) {
  wait(deadline);
  Rows rows(PQgetResult(handle_.get()));
  // A session that the server ends (57P01) says so in an error result; the loss behind it adds nothing.
  if (rows.raw() == nullptr) lose("the session ended in the middle of an answer");
  if (PQstatus(handle_.get()) == CONNECTION_BAD) {
    usable_ = false;
    if (!diagnosis_of(rows).sqlstate.empty()) fail(rows);
    lose(first_line(PQerrorMessage(handle_.get())));
  }
  return rows;
}

void Connection::end_of_statement(Clock::time_point deadline) {
  wait(deadline);
  PQclear(PQgetResult(handle_.get()));  // the null that ends a statement's results
}

void Connection::wait(Clock::time_point deadline) {
  while (true) {
    const int unsent = PQflush(handle_.get());
    if (unsent < 0 && PQconsumeInput(handle_.get()) == 0) lose(first_line(PQerrorMessage(handle_.get())));
    if (PQisBusy(handle_.get()) == 0) return;
    const auto left = std::min<std::int64_t>(
        60000, std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count());
    if (left <= 0) lose("no answer in time");
    pollfd watched{PQsocket(handle_.get()), static_cast<short>(POLLIN | (unsent > 0 ? POLLOUT : 0)), 0};
    const int ready = poll(&watched, 1, static_cast<int>(left));
    if (ready < 0 && errno != EINTR) lose("poll failed");
    if (ready > 0 && (watched.revents & ~POLLOUT) != 0 && PQconsumeInput(handle_.get()) == 0) {
      lose(first_line(PQerrorMessage(handle_.get())));
    }
  }
}

void Connection::fail(const Rows& error) {
  const auto diagnosis = diagnosis_of(error);
  if (diagnosis.sqlstate == "0A000" || diagnosis.sqlstate == "26000") {
    // A prepared statement fell behind a change of its tables, or is unknown to the session that a proxy put
    // behind this one. A new session prepares it again.
    usable_ = false;
    throw Fault(
        unavailable(fmt::format("PostgreSQL: {} (SQLSTATE {})", diagnosis.primary, diagnosis.sqlstate)));
  }
  throw Fault(failure_of(diagnosis));
}

void Connection::lose(std::string_view what) {
  usable_ = false;
  throw Fault(unavailable(fmt::format("lost the connection to PostgreSQL: {}", what)));
}

// libpq takes several statements in one text only outside of the pipeline.
void Connection::script(const std::string& sql) {
  if (PQexitPipelineMode(handle_.get()) == 0) lose("the pipeline is not empty");
  check_sent(PQsendQuery(handle_.get(), sql.c_str()));
  std::optional<Rows> error;
  while (true) {
    wait(Clock::time_point::max());
    Rows rows(PQgetResult(handle_.get()));
    if (rows.raw() == nullptr) break;
    if (rows.status() == PGRES_FATAL_ERROR && !error) error.emplace(std::move(rows));
  }
  if (PQstatus(handle_.get()) != CONNECTION_OK) usable_ = false;
  if (usable_ && PQenterPipelineMode(handle_.get()) == 0) usable_ = false;
  if (error) fail(*error);
}

bool Connection::still_open() {
  if (!usable_) return false;
  // An idle session is told something only when it ends or when the server's settings were read again; both
  // are seldom enough to open another.
  pollfd watched{PQsocket(handle_.get()), POLLIN, 0};
  if (poll(&watched, 1, 0) != 0) usable_ = false;
  return usable_;
}

}  // namespace collect::postgres
