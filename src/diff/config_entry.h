// SPDX-License-Identifier: Apache-2.0
// One place of a YAML file, which knows what to call itself in a message: "config.yml:12:
// limits.max_diff_depth: expected a whole number from 1 to 512, got 'deep'". Every reader throws BadConfig
// with such a message when the place holds something else.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstddef>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace collect::diff {

// Stays inside a reader of configuration, which turns it into a Failure: yaml-cpp throws too, and one way out
// is enough.
struct BadConfig : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class ConfigEntry {
 public:
  // `origin` is what messages call the file; its text must outlive the entry. `key` is the dotted place in
  // it.
  ConfigEntry(const YAML::Node& node, std::string key, std::string_view origin);
  // The whole text.
  static ConfigEntry parse(std::string_view yaml, std::string_view origin);

  // An empty file, or a key without a value.
  [[nodiscard]] bool nothing() const { return node_.IsNull(); }

  // The members of a mapping in the order of the file; no key twice. Empty `known`: any key.
  [[nodiscard]] std::vector<std::pair<std::string, ConfigEntry>> members(
      const std::set<std::string>& known) const;
  [[nodiscard]] std::vector<ConfigEntry> items() const;
  // A list, or a single item in place of a list of one.
  [[nodiscard]] std::vector<ConfigEntry> one_or_more() const;

  [[nodiscard]] std::string text() const;  // not empty
  [[nodiscard]] std::size_t count(std::size_t least, std::size_t most) const;
  [[nodiscard]] double percent() const;
  [[nodiscard]] bool flag() const;

  // Throws BadConfig about this place.
  [[noreturn]] void refuse(const std::string& what) const;
  [[noreturn]] void expected(std::string_view what) const;

 private:
  [[nodiscard]] std::string got() const;

  YAML::Node node_;
  std::string key_;
  std::string_view origin_;
};

}  // namespace collect::diff
