// SPDX-License-Identifier: Apache-2.0
// A request's query, read strictly: a filter with a typing error must not become no filter.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace collect::operators {

// Each function takes its parameter and gives nothing where there is none or it is wrong; done() then says
// what was wrong first.
class Parameters {
 public:
  // `query` as in net::RequestHead. "+" is a space, as HTML forms write it.
  explicit Parameters(std::string_view query);

  std::optional<std::string> text(const std::string& name, std::size_t most_bytes = 255);
  std::optional<std::string> word(const std::string& name, std::initializer_list<std::string_view> words);
  std::optional<std::int64_t> number(const std::string& name, std::int64_t least, std::int64_t most);
  std::optional<bool> flag(const std::string& name);
  // An RFC 3339 time, or a date, which means all of that day in UTC: a range from its start to its end.
  std::optional<Time> from(const std::string& name);
  std::optional<Time> to(const std::string& name);

  void refuse(const std::string& name, std::string_view expected, std::string_view got);
  // `invalid`: the first problem; a parameter that nobody took is one.
  [[nodiscard]] Result<void> done() const;

 private:
  std::optional<std::string> take(const std::string& name);
  std::optional<Time> time(const std::string& name, std::chrono::days after_date);

  std::map<std::string, std::string> values_;  // not taken yet
  std::string known_;                          // the names that were asked for
  std::string problem_;
};

}  // namespace collect::operators
