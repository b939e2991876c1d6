// SPDX-License-Identifier: Apache-2.0
#include "diff/arrays.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <unordered_map>

namespace collect::diff {
namespace {

// Comparing everything with everything is affordable up to here; beyond, only elements at about the same
// position are compared.
constexpr std::size_t kMaxComparisons = 100'000;
// Elements that share a hash without being equal: numbers that round to the same double, or chance.
constexpr std::size_t kMaxCollisions = 64;

std::uint64_t mix(std::uint64_t seed, std::uint64_t value) {
  // The finalizer of splitmix64: cheap, and every bit of the input reaches every bit of the output.
  std::uint64_t x = seed ^ (value + 0x9e3779b97f4a7c15U + (seed << 6U) + (seed >> 2U));
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

// For each element of `a` its equal in `b`, each of `b` used once, both from the front.
std::vector<std::optional<std::size_t>> match_equal(std::span<const json::Value> a,
                                                    std::span<const json::Value> b) {
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> waiting;
  for (std::size_t j = b.size(); j-- > 0;) waiting[hash_of(b[j])].push_back(j);
  std::vector<std::optional<std::size_t>> partner(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto found = waiting.find(hash_of(a[i]));
    if (found == waiting.end() || found->second.empty()) continue;
    auto& candidates = found->second;
    const auto end =
        candidates.rbegin() + static_cast<std::ptrdiff_t>(std::min(candidates.size(), kMaxCollisions));
    const auto equal =
        std::find_if(candidates.rbegin(), end, [&](std::size_t j) { return json::equal(a[i], b[j]); });
    if (equal == end) continue;
    partner[i] = *equal;
    candidates.erase(std::next(equal).base());
  }
  return partner;
}

// Marks the longest run of matches that keep their order: the neighbours by which the others are located.
std::vector<bool> in_order(const std::vector<std::optional<std::size_t>>& partner) {
  std::vector<std::size_t> tails;  // tails[k]: the element that ends the best run of length k + 1
  std::vector<std::optional<std::size_t>> before(partner.size());
  for (std::size_t i = 0; i < partner.size(); ++i) {
    if (!partner[i]) continue;
    const auto at = std::lower_bound(tails.begin(), tails.end(), *partner[i],
                                     [&](std::size_t tail, std::size_t j) { return *partner[tail] < j; });
    if (at != tails.begin()) before[i] = *std::prev(at);
    if (at == tails.end()) {
      tails.push_back(i);
    } else {
      *at = i;
    }
  }
  std::vector<bool> marked(partner.size(), false);
  if (tails.empty()) return marked;
  for (std::optional<std::size_t> i = tails.back(); i; i = before[*i]) marked[*i] = true;
  return marked;
}

struct Loose {
  std::size_t position;
  std::size_t gap;  // how many unchanged neighbours come before
  bool paired = false;
  std::vector<std::uint64_t> members;  // sorted hashes of key and value, where similarity is asked for
};

struct LooseEnds {
  std::vector<Loose> previous;
  std::vector<Loose> current;
};

LooseEnds loose_ends(const json::Value& previous, const json::Value& current) {
  const auto partner = match_equal(previous.elements, current.elements);
  const auto ordered = in_order(partner);
  std::vector<bool> taken(current.elements.size(), false);
  std::vector<bool> anchor(current.elements.size(), false);
  LooseEnds ends;
  std::size_t gap = 0;
  for (std::size_t i = 0; i < partner.size(); ++i) {
    if (partner[i]) {
      taken[*partner[i]] = true;
      anchor[*partner[i]] = ordered[i];
      if (ordered[i]) ++gap;
    } else {
      ends.previous.push_back({i, gap, false, {}});
    }
  }
  gap = 0;
  for (std::size_t j = 0; j < taken.size(); ++j) {
    if (anchor[j]) ++gap;
    if (!taken[j]) ends.current.push_back({j, gap, false, {}});
  }
  return ends;
}

void hash_members(std::vector<Loose>& ends, std::span<const json::Value> elements) {
  for (auto& end : ends) {
    for (const auto& [key, value] : elements[end.position].members) {
      end.members.push_back(mix(std::hash<std::string_view>{}(key), hash_of(value)));
    }
    std::sort(end.members.begin(), end.members.end());
  }
}

std::size_t in_common(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  std::size_t count = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j]) ++count;
    const bool step_a = a[i] <= b[j];
    const bool step_b = b[j] <= a[i];
    if (step_a) ++i;
    if (step_b) ++j;
  }
  return count;
}

void pair_up(Loose& previous, Loose& current, std::vector<Pairing>& out) {
  previous.paired = current.paired = true;
  out.push_back({previous.position, current.position});
}

void pair_similar(LooseEnds& ends, const json::Value& a, const json::Value& b, std::vector<Pairing>& out) {
  struct Candidate {
    std::size_t common, i, j;
    bool same_gap;
  };
  hash_members(ends.previous, a.elements);
  hash_members(ends.current, b.elements);
  const auto rows = std::max<std::size_t>(1, ends.previous.size());
  const auto columns = ends.current.size();
  const auto reach = rows * columns <= kMaxComparisons ? rows + columns : kMaxComparisons / rows / 2;
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < ends.previous.size(); ++i) {
    for (std::size_t j = i - std::min(i, reach); j < std::min(columns, i + reach + 1); ++j) {
      const auto common = in_common(ends.previous[i].members, ends.current[j].members);
      if (common > 0) candidates.push_back({common, i, j, ends.previous[i].gap == ends.current[j].gap});
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& x, const Candidate& y) {
    return x.common != y.common ? x.common > y.common : x.same_gap && !y.same_gap;
  });
  for (const auto& candidate : candidates) {
    auto& previous = ends.previous[candidate.i];
    auto& current = ends.current[candidate.j];
    if (!previous.paired && !current.paired) pair_up(previous, current, out);
  }
}

void pair_in_order(LooseEnds& ends, std::vector<Pairing>& out) {
  const auto loose = [](auto at, auto end) {
    return std::find_if(at, end, [](const Loose& l) { return !l.paired; });
  };
  auto i = loose(ends.previous.begin(), ends.previous.end());
  auto j = loose(ends.current.begin(), ends.current.end());
  while (i != ends.previous.end() && j != ends.current.end()) {
    const auto gap_i = i->gap;
    const auto gap_j = j->gap;
    if (gap_i == gap_j) pair_up(*i, *j, out);
    if (gap_i <= gap_j) i = loose(i + 1, ends.previous.end());
    if (gap_j <= gap_i) j = loose(j + 1, ends.current.end());
  }
}

}  // namespace

std::uint64_t hash_of(const json::Value& value) {
  std::uint64_t hash = static_cast<std::uint64_t>(value.type) + 1;
  switch (value.type) {
    case json::Type::null:
      return hash;
    case json::Type::boolean:
      return mix(hash, value.boolean ? 1 : 0);
    case json::Type::number: {
      // Equal numbers have the same nearest double; -0 is 0.
      const double number = json::to_double(value.text);
      return mix(hash, std::hash<double>{}(number == 0.0 ? 0.0 : number));
    }
    case json::Type::string:
      return mix(hash, std::hash<std::string_view>{}(value.text));
    case json::Type::array:
      for (const auto& element : value.elements) hash = mix(hash, hash_of(element));
      return mix(hash, value.elements.size());
    case json::Type::object:
      for (const auto& [key, member] : value.members) {
        hash = mix(mix(hash, std::hash<std::string_view>{}(key)), hash_of(member));
      }
      return mix(hash, value.members.size());
  }
  return hash;
}

bool equal_as_sets(const json::Value& a, const json::Value& b) {
  if (a.elements.size() != b.elements.size()) return false;
  if (json::equal(a, b)) return true;
  const auto partner = match_equal(a.elements, b.elements);
  return std::all_of(partner.begin(), partner.end(), [](const auto& match) { return match.has_value(); });
}

std::vector<Pairing> align(const json::Value& previous, const json::Value& current) {
  auto ends = loose_ends(previous, current);
  std::vector<Pairing> out;
  pair_similar(ends, previous, current, out);
  pair_in_order(ends, out);
  for (const auto& end : ends.current) {
    if (!end.paired) out.push_back({std::nullopt, end.position});
  }
  std::sort(out.begin(), out.end(), [](const Pairing& x, const Pairing& y) { return x.current < y.current; });
  for (const auto& end : ends.previous) {
    if (!end.paired) out.push_back({end.position, std::nullopt});
  }
  return out;
}

}  // namespace collect::diff
