// SPDX-License-Identifier: Apache-2.0
// Moves all that an embedded instance has to PostgreSQL and Redis, ids and times kept: `collect migrate
// --from`. Backups lie elsewhere, in an ObjectStore (backups/copying.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/settings.h"

namespace collect::backend {

struct MovedPart {
  std::string name;  // of the table, or "queue inventory dead" and the like
  std::uint64_t rows = 0;
};

struct MoveReport {
  std::vector<MovedPart> parts;  // in the order in which they went
  std::uint64_t systems = 0;     // whose rows were read again on both sides and agree
  std::uint64_t damaged = 0;     // documents that cannot be read here either, moved as they are
};

// `done` of `total` rows of that part.
using TellMove = std::function<void(const std::string& part, std::uint64_t done, std::uint64_t total)>;

// Goes in steps, each whole: where it was broken off, the next call with the same directory goes on, and
// until it came to its end `collect serve` does not start on the target. At the end all rows are read again
// on both sides and compared. The source stays as it is, but for the note which move it is (and tables of
// this version). `to` names the servers, whose tables are there (migrate()). `at_last` runs before the move
// is called done, for what else has to go while nobody serves; its failure is the move's.
//
// `conflict`: the source is served; the target is, or holds something that is not of this move; or this move
// was done before. `not_found`: there is no instance in that directory.
Result<MoveReport> move_embedded(const std::filesystem::path& from, const Settings& to, const Clock& clock,
                                 const TellMove& tell, const std::function<Result<void>()>& at_last);

// `conflict`: a move into this database was begun and is not done.
Result<void> check_moved_whole(const Settings& to);

}  // namespace collect::backend
