// SPDX-License-Identifier: Apache-2.0
// Identifiers as types of their own, so that a system's id never lands where a record's is expected.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace collect {

// A textual id. `Tag` only tells the kinds apart.
template <class Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  auto operator<=>(const Id&) const = default;

 private:
  std::string text_;
};

using SystemId = Id<struct SystemTag>;              // systems.id
using OrganizationId = Id<struct OrganizationTag>;  // distributors|resellers|customers.logto_id or .id
using MessageId = Id<struct MessageTag>;            // a queue message's id; of an inventory also its receipt

enum class RecordId : std::int64_t {};  // inventory_records.id
enum class DiffId : std::int64_t {};    // inventory_diffs.id

// RFC 9562 UUIDs in lower case. Random bits come from the operating system's generator.
std::string new_uuid_v4();
std::string new_uuid_v7(Time now);
bool is_uuid(std::string_view text);

// `bytes` random bytes as 2 * bytes lower-case hex digits.
std::string random_hex(std::size_t bytes);

}  // namespace collect

template <class Tag>
struct std::hash<collect::Id<Tag>> {
  std::size_t operator()(const collect::Id<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.text());
  }
};
