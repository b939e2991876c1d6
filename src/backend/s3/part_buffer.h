// SPDX-License-Identifier: Apache-2.0
// The memory of one part. It is the system's again as soon as the buffer is gone: of what malloc took for a
// thread, megabytes may stay with the process, for each thread that ever uploaded.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace collect::s3 {

struct Unmap {
  std::size_t capacity = 0;  // bytes
  void operator()(char* memory) const;
};

class PartBuffer {
 public:
  PartBuffer() = default;  // holds nothing
  // Pages are touched as bytes come. Throws std::bad_alloc.
  explicit PartBuffer(std::size_t capacity);

  // As many of them as there is room for, from the first on; how many that were.
  std::size_t append(std::string_view bytes);
  void clear() { size_ = 0; }

  [[nodiscard]] std::string_view bytes() const { return {memory_.get(), size_}; }
  [[nodiscard]] bool full() const { return size_ == memory_.get_deleter().capacity; }
  [[nodiscard]] bool has_memory() const { return memory_ != nullptr; }

 private:
  std::unique_ptr<char, Unmap> memory_;
  std::size_t size_ = 0;
};

}  // namespace collect::s3
