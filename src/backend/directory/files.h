// SPDX-License-Identifier: Apache-2.0
// Files below one folder, opened so that no name and no symbolic link leads out of it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace collect::directory {

// A file descriptor, closed with the object.
class File {
 public:
  File() = default;
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] bool open() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

// What the operating system refused, as a failure. `what` is the beginning of the sentence: "cannot write".
// `unavailable`; of ENOENT `not_found`. A full disk says so.
Failure failure_of(int error, std::string_view what, const std::filesystem::path& root);

enum class Missing : std::uint8_t { fail, make };

// The folder `path` ("a/b") below `root`, segment by segment and through no symbolic link. With Missing::make
// what is not there is made (0700) and lasting.
Result<File> open_folder(const File& root, const std::filesystem::path& root_path, std::string_view path,
                         Missing missing);

// The whole of a small file beside others, or `not_found`.
Result<std::string> read_file(const File& folder, const std::string& name, const std::filesystem::path& root,
                              std::size_t limit);
// Replaces it, and is durable when it returns but for the folder's own entry.
Result<void> write_file(const File& folder, const std::string& name, std::string_view text,
                        const std::filesystem::path& root);
Result<void> write_all(const File& file, std::string_view bytes, const std::filesystem::path& root);

}  // namespace collect::directory
