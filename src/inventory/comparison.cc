// SPDX-License-Identifier: Apache-2.0
#include "inventory/comparison.h"

#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "diff/differ.h"

namespace collect::inventory {
namespace {

bool is_late(const PendingRecord& record, const ComparisonState& state) {
  return state.newest_processed && std::pair(record.timestamp, record.id) < *state.newest_processed;
}

// Walks the chain of records, each the baseline of the next.
class Chain {
 public:
  Chain(const diff::Rules& rules, const ComparisonState& state, Documents& documents, Time now)
      : rules_(rules), state_(state), documents_(documents), now_(now), last_changed_(state.last_changed) {
    if (state.baseline) {
      previous_id_ = state.baseline->id;
      held_ = state.baseline->held;
      previous_ = read(*state.baseline);
    }
  }

  RecordDiffs next(const PendingRecord& record) {
    RecordDiffs out{record.id, previous_id_, "", {}};
    auto current = read(record);
    if (previous_ && current) {
      auto compared = diff::compare(rules_, {.previous = previous_->root(),
                                             .current = current->root(),
                                             .held = held_,
                                             .last_changed = &last_changed_,
                                             .now = now_,
                                             .partial = diff::Partial::hold});
      out.held = std::move(compared.held);
      for (diff::Change& change : compared.changes) {
        if (!change.significant) continue;
        last_changed_[change.field_path] = now_;
        out.changes.push_back(std::move(change));
      }
    }
    previous_id_ = record.id;
    held_ = out.held;
    if (current) previous_ = std::move(current);
    return out;
  }

 private:
  // The door lets only readable documents in; one that another program wrote may be anything.
  template <class Record>
  std::shared_ptr<const json::Document> read(const Record& record) const {
    const auto document =
        record.damage.empty() ? documents_.read(record.hash, record.document) : internal(record.damage);
    if (document) return *document;
    log::warn("record_unreadable", {{"system_id", state_.system_id.text()},
                                    {"record_id", static_cast<std::int64_t>(record.id)},
                                    {"reason", document.failure().message}});
    return nullptr;
  }

  const diff::Rules& rules_;
  const ComparisonState& state_;
  Documents& documents_;
  Time now_;
  diff::LastChanged last_changed_;
  std::optional<RecordId> previous_id_;
  std::shared_ptr<const json::Document> previous_;
  std::string held_;
};

}  // namespace

bool Documents::has(std::string_view hash) {
  if (hash.empty()) return false;
  if (found_.contains(hash)) return true;
  auto document = recent_.documents.find(hash);
  if (document == nullptr) return false;
  found_.emplace(hash, std::move(document));
  return true;
}

Result<std::shared_ptr<const json::Document>> Documents::read(const std::string& hash,
                                                              const std::string& text) {
  if (const auto found = found_.find(hash); found != found_.end()) return found->second;
  auto parsed = json::Document::parse_checked(text);
  if (!parsed) return parsed.failure();
  auto document = std::make_shared<const json::Document>(*std::move(parsed));
  if (!hash.empty()) recent_.documents.put(hash, document, document->bytes());
  return document;
}

ComparisonDecision decide_comparison(const diff::Rules& rules, const ComparisonState& state,
                                     Documents& documents, Time now) {
  ComparisonDecision out;
  for (const PendingRecord& record : state.pending) {
    if (is_late(record, state)) out.records.push_back({record.id, std::nullopt, "", {}});
  }
  if (!out.records.empty()) {
    out.again = out.records.size() < state.pending.size();
    return out;
  }
  Chain chain(rules, state, documents, now);
  for (const PendingRecord& record : state.pending) out.records.push_back(chain.next(record));
  return out;
}

}  // namespace collect::inventory
