// SPDX-License-Identifier: Apache-2.0
// Which diffs a filter means, for those who list and those who count them.
#pragma once

#include <string>

namespace collect::sqlite {

// "FROM … WHERE …" with ?1 the system, ?2 the first created_at, (?3, ?4) the end (inventory::DiffEnd), ?11
// the record. By inventory_diffs_timeline alone, as long as no other columns are asked for than it has; or by
// inventory_diffs_of_record.
inline const std::string kDiffsOfSystem =
    " FROM inventory_diffs WHERE system_id = ?1 AND created_at >= ?2 AND (created_at, id) < (?3, ?4)";
inline const std::string kDiffsOfRecord =
    " FROM inventory_diffs WHERE current_id = ?11 AND +system_id = ?1 AND +created_at >= ?2"
    "   AND (+created_at, +id) < (?3, ?4)";
// ?5 to ?8: severity, category, diff_type, search.
inline const std::string kChosenDiffs =
    " AND (?5 IS NULL OR severity = ?5) AND (?6 IS NULL OR category = ?6)"
    " AND (?7 IS NULL OR diff_type = ?7) AND (?8 IS NULL OR instr(lower(field_path), lower(?8)) > 0)";

}  // namespace collect::sqlite
