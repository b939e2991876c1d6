// SPDX-License-Identifier: Apache-2.0
// What the pending records of a system changed. Both engines ask this one function.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "diff/rules.h"
#include "inventory/comparison_store.h"
#include "inventory/recent.h"

namespace collect::inventory {

struct ComparisonDecision {
  std::vector<RecordDiffs> records;
  // Some pending records were left for another call, which reads a better baseline for them.
  bool again = false;
};

// The documents of one comparison. One thread.
class Documents {
 public:
  explicit Documents(Recent& recent) : recent_(recent) {}

  // Answers ComparisonQuestion::has_document. What it said yes to stays until the end.
  bool has(std::string_view hash);

  // The one it has by that hash, else `text` parsed and remembered. A failure says why it is not readable.
  Result<std::shared_ptr<const json::Document>> read(const std::string& hash, const std::string& text);

 private:
  Recent& recent_;
  std::map<std::string, std::shared_ptr<const json::Document>, std::less<>> found_;
};

// Each pending record against its predecessor; the first record of a system changes nothing. Records older
// than the newest processed one came too late: they are settled without changes, and alone, because the
// records after them have another predecessor than theirs.
ComparisonDecision decide_comparison(const diff::Rules& rules, const ComparisonState& state,
                                     Documents& documents, Time now);

}  // namespace collect::inventory
