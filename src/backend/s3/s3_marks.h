// SPDX-License-Identifier: Apache-2.0
// A mark is an empty object, ".uploads/<key>/<owner>": it stands from before the first to after the last step
// of an upload in parts, and while it stands there is no object for us under <key>. Whoever finds the mark of
// an owner that is gone may clear up.
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace collect::s3 {

inline constexpr std::string_view kMarks = ".uploads/";

// On an object that was completed but not yet described.
inline constexpr std::string_view kUnfinished = "x-amz-meta-unfinished";

struct Mark {
  std::string key;    // the object's
  std::string owner;  // queue::WorkerId's text, its last part made unique
};

std::string mark_key(const Mark& mark);
// Nothing when it is no mark, or that of something that is no object of a store's.
std::optional<Mark> parse_mark(std::string_view key);

// The uploads of this process that have a mark. Thread-safe.
class OpenMarks {
 public:
  Mark add(std::string_view key);
  void remove(const Mark& mark);
  // True when nobody will take that mark away any more: its process has ended, or it is this one and the
  // upload is over. False when in doubt.
  [[nodiscard]] bool is_left(const Mark& mark) const;

 private:
  mutable std::mutex mutex_;
  std::set<std::string> owners_;  // guarded by mutex_
};

}  // namespace collect::s3
