// SPDX-License-Identifier: Apache-2.0
// What the trials of all systems found: counts that are exact, lists and examples that are bounded, and how
// people and programs see them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/rules_trial.h"

namespace collect::app {

class RulesFindings {
 public:
  // At most `limit` entries of each list are kept, those that come first.
  explicit RulesFindings(std::size_t limit) : limit_(limit) {}

  // What the trial of one system is to tell; valid until the next call.
  const TrialListener& listen(const systems::System& system);
  [[nodiscard]] std::uint64_t records() const { return records_; }

  // `origin` is the file that was tried.
  [[nodiscard]] std::string json(std::string_view origin, Time since) const;
  [[nodiscard]] std::string text(std::string_view origin, Time since) const;

 private:
  struct Tally {
    std::uint64_t same = 0;
    std::uint64_t regraded = 0;
    std::uint64_t added = 0;
    std::uint64_t gone = 0;
    std::uint64_t unknown = 0;
    void add(Fate fate);
    Tally& operator+=(const Tally& other);
  };
  struct Place {
    std::string system_id;
    std::string system_key;
    std::string system_name;  // the key where it has none
  };
  struct Example {
    std::string system;
    Time at{};
    std::string what;
    std::string why;
  };
  struct Group {
    std::uint64_t count = 0;
    std::vector<Example> examples;
  };
  // By fate, then what they have in common in two words.
  using Groups = std::map<std::pair<Fate, std::pair<std::string, std::string>>, Group>;
  template <class Item>
  using List = std::vector<std::pair<Place, Item>>;

  void add(const Place& place, TriedChange change);
  void add(const Place& place, TriedAlert alert);
  void group(Groups& groups, Fate fate, std::pair<std::string, std::string> key, Example example) const;
  template <class Item>
  void keep(std::map<Fate, List<Item>>& lists, const Place& place, Item item) const;
  static void write(json::Writer& writer, const Tally& tally);
  static void write(json::Writer& writer, const Place& place, const TriedChange& tried);
  static void write(json::Writer& writer, const Place& place, const TriedAlert& alert);
  template <class Item>
  static void write(json::Writer& writer, const std::map<Fate, List<Item>>& lists);
  [[nodiscard]] Tally all_alerts() const;
  [[nodiscard]] std::string tallies() const;
  [[nodiscard]] std::string groups_text(const Groups& groups, Fate fate, std::string_view heading) const;

  std::size_t limit_;
  TrialListener listener_;
  std::uint64_t systems_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t not_compared_ = 0;
  Tally changes_;
  std::map<std::string, Tally> alerts_;  // by alert_type
  std::map<Fate, List<TriedChange>> change_lists_;
  std::map<Fate, List<TriedAlert>> alert_lists_;
  Groups change_groups_;
  Groups alert_groups_;
};

}  // namespace collect::app
