// SPDX-License-Identifier: Apache-2.0
// What was worked out lately about documents, so that the next stage, and the next inventory of the same
// system, need neither read nor parse them again. Everything stands under a SHA-256 of what it was made of:
// what is found is right, whichever process wrote the database meanwhile. Bounded; thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/lru_cache.h"

namespace collect::inventory {

// Module id → a hash of all that is written about it.
using ApplicationFingerprints = std::map<std::string, std::uint64_t, std::less<>>;

struct Recent {
  static constexpr std::size_t kDocumentBytes = 256U << 20U;
  static constexpr std::size_t kApplicationLists = 50'000;  // about a kilobyte each

  LruCache<json::Document> documents{kDocumentBytes};                 // by data_hash
  LruCache<ApplicationFingerprints> applications{kApplicationLists};  // by derived_hash, one each
};

}  // namespace collect::inventory
