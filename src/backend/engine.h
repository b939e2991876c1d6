// SPDX-License-Identifier: Apache-2.0
// The one place that chooses what Collect runs on: SQLite in a directory, or PostgreSQL and Redis.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/stores.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/settings.h"
#include "inventory/packing.h"
#include "queue/queue.h"

namespace collect::backend {

// What the banner says.
struct EngineFacts {
  std::string name;        // "SQLite 3.40.1 in ./data"
  std::string durability;  // what a 202 survives here, one sentence
  std::vector<std::string> warnings;
};

// Something that runs until it is destroyed.
class Running {
 public:
  virtual ~Running() = default;
};

// What others changed about systems. Called from a thread of the engine's.
struct RevocationListener {
  std::function<void(std::string_view system_key)> revoked;
  std::function<void()> anything_may_have_changed;
};

class Engine {
 public:
  virtual ~Engine() = default;
  [[nodiscard]] virtual EngineFacts facts() const = 0;
  // Valid as long as the engine.
  virtual Stores stores() = 0;
  // The same, for the runner's own work: a write whose commit finds that another term has begun than the one
  // that `term` tells (nullopt: none) fails with `conflict` and writes nothing. On the embedded engine, whose
  // directory one service holds, nobody can begin one. Once; valid as long as the engine.
  virtual Stores fenced(std::function<std::optional<std::int64_t>()> term) = 0;
  // Not of an engine opened with Use::stores.
  virtual queue::Queue& queue() = 0;
  // Tells other processes that this system changed.
  virtual Result<void> announce(std::string_view system_key) = 0;
  virtual std::unique_ptr<Running> listen(RevocationListener listener) = 0;
};

enum class Use {
  service,  // everything; on the embedded engine one process at a time
  queue,    // everything, for commands beside a running service
  stores,   // the database only, likewise
};

// How documents are written: INVENTORY_STORE, else what the engine does by itself.
inventory::DocumentForm document_form(const Settings& settings);

// Opens what the settings name. Tables must be there: see migrate(). `unavailable`: a server or the directory
// cannot be reached; `conflict`: another process serves this directory; the message says which and what to
// do.
Result<std::unique_ptr<Engine>> open(const Settings& settings, Use use, const Clock& clock);

// Brings the database to the tables of this version; the names of what was applied. Documents keep their
// form: see RecordStore::convert().
Result<std::vector<std::string>> migrate(const Settings& settings, Time now);

}  // namespace collect::backend
