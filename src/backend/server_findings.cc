// SPDX-License-Identifier: Apache-2.0
#include "backend/server_findings.h"

#include <fmt/format.h>

#include <cmath>

namespace collect::backend {
namespace {

// Retries are due, heartbeats are late and alerts end by clocks that are compared with each other.
constexpr std::chrono::seconds kClocksMayDiffer{2};
constexpr std::chrono::seconds kClocksMustNotDiffer{60};
// Of its limit; then the queue soon refuses.
constexpr double kMemoryIsShort = 0.8;

constexpr std::int64_t kOldestPostgres = 150000;  // as server_version_num counts
constexpr int kOldestRedis = 7;

constexpr double mebibytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / (1024.0 * 1024.0);
}

class Findings {
 public:
  explicit Findings(std::string subject) : subject_(std::move(subject)) {}
  void ok(std::string found) { add(State::ok, std::move(found), ""); }
  void warn(std::string found, std::string advice) {
    add(State::warning, std::move(found), std::move(advice));
  }
  void fail(std::string found, std::string advice) {
    add(State::failure, std::move(found), std::move(advice));
  }
  std::vector<Finding> take() { return std::move(all_); }

 private:
  void add(State state, std::string found, std::string advice) {
    all_.push_back({subject_, state, std::move(found), std::move(advice)});
  }
  const std::string subject_;
  std::vector<Finding> all_;
};

void judge_append_only(const redis::ServerFacts& facts, Findings& out) {
  if (!facts.append_only) {
    out.warn("Redis does not tell whether it writes an append-only file",
             "make sure that it does, or a crash of Redis loses what is queued");
  } else if (!*facts.append_only) {
    out.warn("Redis does not write an append-only file", "set appendonly yes");
  } else if (facts.append_fsync == "no") {
    out.warn("Redis leaves to the kernel when its append-only file reaches the disk (appendfsync no)",
             "set appendfsync everysec, or always");
  } else if (facts.append_fsync == "everysec") {
    out.ok(
        "a power cut may cost the last second of what was accepted (appendfsync everysec); "
        "always costs speed and loses nothing");
  }
}

void judge_memory(const redis::ServerFacts& facts, Findings& out) {
  if (!facts.maxmemory_policy.empty() && facts.maxmemory_policy != "noeviction") {
    out.warn(fmt::format("Redis may drop queued inventories when memory is short (maxmemory-policy {})",
                         facts.maxmemory_policy),
             "set noeviction");
  }
  if (facts.maxmemory > 0 &&
      static_cast<double>(facts.used_memory) > kMemoryIsShort * static_cast<double>(facts.maxmemory)) {
    out.warn(fmt::format("Redis uses {:.0f} MiB of at most {:.0f}", mebibytes(facts.used_memory),
                         mebibytes(facts.maxmemory)),
             "look at `collect queue stats` for what waits, or raise maxmemory: a full queue refuses "
             "inventories");
  }
}

}  // namespace

std::vector<Finding> findings_of(const postgres::ServerFacts& facts, std::int64_t wanted) {
  Findings out("database");
  const std::string name = fmt::format("PostgreSQL {}", facts.version);
  if (facts.version_number < kOldestPostgres) {
    out.fail(name, "Collect needs PostgreSQL 15 or newer");
  } else {
    out.ok(fmt::format("{}, {:.0f} MiB", name, mebibytes(facts.database_bytes)));
  }
  if (facts.standby) {
    out.fail("this PostgreSQL is a standby: writing fails", "give DATABASE_URL the address of the primary");
  }
  if (facts.encoding != "UTF8") {
    out.fail(fmt::format("the database's encoding is {}: texts with other characters fail", facts.encoding),
             "create it with ENCODING 'UTF8' and move its data there");
  }
  if (!facts.fsync) {
    out.fail("a power cut may destroy this database (fsync off)", "set fsync = on");
  }
  if (!facts.full_page_writes) {
    out.warn("a power cut may damage pages of this database (full_page_writes off)",
             "set full_page_writes = on");
  }
  if (facts.synchronous_commit == "off") {
    out.warn("a crash of PostgreSQL may lose what was stored in the last moments (synchronous_commit off)",
             "set synchronous_commit = on, at least for this database");
  }
  if (!facts.autovacuum) {
    out.warn("nobody cleans up after updates (autovacuum off): tables grow and slow down",
             "set autovacuum = on");
  }
  if (facts.free_connections < wanted) {
    out.warn(fmt::format("PostgreSQL has {} connections left, a process of Collect may want {} "
                         "(DATABASE_MAX_CONNS)",
                         facts.free_connections, wanted),
             "raise max_connections, or lower DATABASE_MAX_CONNS of each process");
  }
  return out.take();
}

std::vector<Finding> findings_of(const redis::ServerFacts& facts) {
  Findings out("Redis");
  const std::string name = fmt::format("Redis {}", facts.version);
  if (facts.major_version < kOldestRedis) {
    out.fail(name, "Collect needs Redis 7 or newer");
  } else {
    out.ok(fmt::format("{}, {:.0f} MiB", name, mebibytes(facts.used_memory)));
  }
  if (facts.replica) {
    out.fail("this Redis is a replica: writing fails", "give REDIS_URL the address of the master");
  }
  if (facts.write_failing) {
    out.fail("Redis could not write its data to disk the last time: it may refuse to take more",
             "look at its log, and at the space on its disk");
  }
  judge_append_only(facts, out);
  judge_memory(facts, out);
  return out.take();
}

Finding clock_finding(const std::string& server, Duration ahead) {
  const double seconds = std::chrono::duration<double>(ahead).count();
  if (std::chrono::abs(ahead) <= kClocksMayDiffer) {
    return {"clock", State::ok, fmt::format("the same as {}'s", server), ""};
  }
  return {"clock", std::chrono::abs(ahead) > kClocksMustNotDiffer ? State::failure : State::warning,
          fmt::format("{}'s clock is {:.1f} s {} this machine's", server, std::fabs(seconds),
                      seconds > 0 ? "ahead of" : "behind"),
          "let both machines follow the same time servers (chrony, systemd-timesyncd)"};
}

}  // namespace collect::backend
