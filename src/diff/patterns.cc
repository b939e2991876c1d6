// SPDX-License-Identifier: Apache-2.0
#include "diff/patterns.h"

namespace collect::diff {
namespace {

constexpr std::int64_t kMaxMemory = std::int64_t{64}
                                    << 20U;  // for the automaton, which RE2 builds as it reads

RE2::Options options() {
  RE2::Options options;
  options.set_case_sensitive(false);
  options.set_log_errors(false);
  options.set_max_mem(kMaxMemory);
  return options;
}

}  // namespace

Patterns::Patterns() : all_(std::make_unique<RE2::Set>(options(), RE2::UNANCHORED)) {}

Result<int> Patterns::add(const std::string& regex) {
  if (const auto known = known_.find(regex); known != known_.end()) return known->second;
  auto single = std::make_unique<RE2>(regex, options());
  if (!single->ok()) return invalid(single->error());
  std::string error;
  const int number = all_->Add(regex, &error);
  if (number < 0) return invalid(error);
  single_.push_back(std::move(single));
  known_.emplace(regex, number);
  return number;
}

Result<void> Patterns::compile() {
  if (!all_->Compile()) return invalid("the patterns need more memory together than RE2 may use");
  return {};
}

std::vector<bool> Patterns::match(std::string_view path) const {
  std::vector<bool> matched(single_.size(), false);
  if (single_.empty()) return matched;
  const re2::StringPiece text(path.data(), path.size());
  std::vector<int> numbers;
  RE2::Set::ErrorInfo error{RE2::Set::kNoError};
  all_->Match(text, &numbers, &error);
  if (error.kind == RE2::Set::kNoError) {
    for (const int number : numbers) matched[static_cast<std::size_t>(number)] = true;
    return matched;
  }
  // The common automaton ran out of memory on this path; one by one they fall back to slower ways that do
  // not.
  for (std::size_t i = 0; i < single_.size(); ++i) matched[i] = RE2::PartialMatch(text, *single_[i]);
  return matched;
}

}  // namespace collect::diff
