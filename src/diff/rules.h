// SPDX-License-Identifier: Apache-2.0
// What config.yml says about changes: how documents are read, what a change is called, how bad it is, and
// whether it is told. The file itself documents every key.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "diff/change.h"
#include "diff/partial.h"
#include "diff/patterns.h"
#include "diff/shapes.h"
#include "diff/walk.h"

namespace collect::diff {

struct Limits {
  std::size_t max_diff_depth = 64;          // segments of a path
  std::size_t max_diffs_per_run = 1000;     // significant changes of one comparison, the summary included
  std::size_t max_field_path_length = 500;  // characters
};

// When a stored path last changed.
using LastChanged = std::map<std::string, Time, std::less<>>;

// Immutable once loaded; share it as std::shared_ptr<const Rules>. Reading is thread-safe.
class Rules {
 public:
  // `yaml` is the text of a config.yml, `origin` what messages call it. Sections that it lacks are the
  // built-in ones; `applications` and `notifications` are left to their own readers. `invalid` names origin,
  // line and key.
  static Result<Rules> load(std::string_view yaml, std::string_view origin);
  // default_config(), which is always valid.
  static Rules builtin();

  // How far back a caller has to look for Question::last_changed; zero when no rule asks.
  [[nodiscard]] Duration longest_time_filter() const;

  [[nodiscard]] const Limits& limits() const { return limits_; }
  [[nodiscard]] const Shapes& shapes() const { return shapes_; }
  [[nodiscard]] const std::vector<PartialRule>& partial_reports() const { return partial_reports_; }
  // Members of the outermost object.
  [[nodiscard]] const std::vector<std::string>& identity() const { return identity_; }

  struct Verdict {
    std::string category;
    Severity severity = Severity::low;
    bool significant = true;
    std::string reason;
  };
  // `stored_path` is the path by which `last_changed` (may be null) knows the difference.
  [[nodiscard]] Verdict judge(const Difference& difference, std::string_view stored_path,
                              const LastChanged* last_changed, Time now) const;

 private:
  friend class RulesReader;

  struct Types {  // empty: any
    std::vector<ChangeType> types;
    [[nodiscard]] bool include(ChangeType type) const;
  };
  struct CategoryRule {
    std::string category;
    std::vector<int> patterns;
  };
  struct SeverityRule {
    Severity severity;
    Types types;
    std::vector<int> patterns;
  };
  // A path pattern, or words that one property of the change has to be among.
  struct Condition {
    std::string text;  // as written
    std::optional<int> pattern;
    std::vector<Severity> severities;
    std::vector<std::string> categories;
    std::vector<ChangeType> types;
  };
  struct TimeFilter {
    int pattern;
    Duration window;
  };
  struct ValueFilter {
    int pattern;
    double threshold_percent;
  };

  Rules() = default;
  [[nodiscard]] std::string category_of(const std::vector<bool>& matched) const;
  [[nodiscard]] Severity severity_of(const Difference& difference, const std::vector<bool>& matched) const;
  [[nodiscard]] static bool holds(const Condition& condition, const std::vector<bool>& matched,
                                  ChangeType type, const Verdict& verdict);
  void decide(Verdict& verdict, const Difference& difference, const std::vector<bool>& matched,
              std::optional<Duration> since_last_change) const;

  Limits limits_;
  Shapes shapes_;
  std::vector<PartialRule> partial_reports_;
  std::vector<std::string> identity_;
  Patterns patterns_;
  std::vector<CategoryRule> categories_;
  std::vector<SeverityRule> severities_;  // critical first
  double numeric_change_percent_ = 0;
  Severity default_severity_ = Severity::low;
  std::vector<Condition> never_significant_;
  std::vector<Condition> always_significant_;
  std::vector<TimeFilter> time_filters_;
  std::vector<ValueFilter> value_filters_;
  bool default_significant_ = true;
};

}  // namespace collect::diff
