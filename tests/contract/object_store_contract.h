// SPDX-License-Identifier: Apache-2.0
// What every storage of backups has to keep: one suite (object_store_contract.cc), instantiated once for
// each.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "backups/object_store.h"

namespace collect::backups::test {

// An empty storage, and the store under test on it.
class Storage {
 public:
  virtual ~Storage() = default;
  virtual ObjectStore& store() = 0;
  // All that lies in the storage besides finished objects and their metadata, by name: temporary files,
  // parts, marks.
  virtual std::vector<std::string> leftovers() = 0;
};

struct StorageCase {
  std::string name;
  std::function<std::unique_ptr<Storage>()> make;
};

std::vector<StorageCase> storages();

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error("unexpected failure: " + result.failure().message);
  return *std::move(result);
}
inline void must(const Result<void>& result) {
  if (!result) throw std::runtime_error("unexpected failure: " + result.failure().message);
}

// `size` bytes that look random and are the same every time.
std::string some_bytes(std::size_t size);
ObjectMetadata metadata_of(std::string_view bytes);
// Uploads in pieces of an odd length; the metadata.
ObjectMetadata put(ObjectStore& store, std::string_view key, std::string_view bytes);
// Reads to the end.
Result<std::string> read_all(Download& download);
std::string get(ObjectStore& store, std::string_view key, std::optional<ByteRange> range = {});
std::vector<std::string> keys(ObjectStore& store, std::string_view prefix = {});

}  // namespace collect::backups::test
