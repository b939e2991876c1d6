// SPDX-License-Identifier: Apache-2.0
#include "backend/s3/part_buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace collect::s3 {

PartBuffer::PartBuffer(std::size_t capacity) {
  if (capacity == 0) return;
  void* memory = ::mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  memory_ = std::unique_ptr<char, Unmap>(static_cast<char*>(memory), Unmap{capacity});
}

std::size_t PartBuffer::append(std::string_view bytes) {
  const std::size_t fitting = std::min(bytes.size(), memory_.get_deleter().capacity - size_);
  if (fitting > 0) std::memcpy(memory_.get() + size_, bytes.data(), fitting);
  size_ += fitting;
  return fitting;
}

void Unmap::operator()(char* memory) const {
  ::munmap(memory, capacity);
}

}  // namespace collect::s3
