// SPDX-License-Identifier: Apache-2.0
// Reports in which a part is missing because its collector failed on the appliance: the missing part is held
// back for one report and put back into the documents before they are compared.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "diff/shapes.h"

namespace collect::diff {

struct PartialRule {
  std::vector<std::string> shape;   // of the part
  std::vector<std::string> except;  // not empty: the part is all members but these, missing when all are gone
};

enum class Partial : std::uint8_t {
  hold,    // a part that is newly missing may come back: hold it
  report,  // there is no next report: a missing part is gone
};

// Both documents with their missing parts in place. Points into what it was made from, and into itself.
struct Bridged {
  json::Value previous;
  json::Value current;
  std::string held;  // what the current report holds back, as JSON text; empty when nothing
  struct Storage;
  std::shared_ptr<const Storage> storage;
};

// `held` is the text of the previous report's Bridged (or empty). A text that cannot be read holds nothing.
Bridged bridge(const Shapes& shapes, const std::vector<PartialRule>& rules, const json::Value& previous,
               const json::Value& current, std::string_view held, Partial partial);

}  // namespace collect::diff
