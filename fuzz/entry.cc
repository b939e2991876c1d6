// SPDX-License-Identifier: Apache-2.0
// libFuzzer's side (https://llvm.org/docs/LibFuzzer.html).
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/log.h"
#include "fuzz/fuzz.h"

namespace collect::fuzz {

void hold(bool promise, std::string_view sentence) {
  if (promise) return;
  std::fprintf(stderr, "BROKEN PROMISE: %s\n", std::string(sentence).c_str());
  std::abort();
}

std::string_view take_part(std::string_view& input, char mark) {
  const std::size_t end = input.find(mark);
  const std::string_view part = input.substr(0, end);
  input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
  return part;
}

unsigned take_number(std::string_view& input) {
  if (input.empty()) return 0;
  const auto number = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  return number;
}

}  // namespace collect::fuzz

extern "C" int LLVMFuzzerInitialize(int* /*count*/, char*** /*arguments*/) {
  // Warnings about what inputs say would fill the disk.
  collect::log::configure(collect::log::Level::error, collect::log::Format::json);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  collect::fuzz::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
