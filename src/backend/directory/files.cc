// SPDX-License-Identifier: Apache-2.0
#include "backend/directory/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace collect::directory {
namespace {

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

Result<File> open_segment(const File& parent, const std::string& name, const std::filesystem::path& root,
                          Missing missing) {
  File folder(::openat(parent.get(), name.c_str(), kFolder));
  if (!folder.open() && errno == ENOENT && missing == Missing::make) {
    if (::mkdirat(parent.get(), name.c_str(), 0700) != 0 && errno != EEXIST)
      return failure_of(errno, "cannot make a folder", root);
    if (::fsync(parent.get()) != 0) return failure_of(errno, "cannot make a folder last", root);
    folder = File(::openat(parent.get(), name.c_str(), kFolder));
  }
  if (!folder.open()) return failure_of(errno, "cannot open a folder", root);
  return folder;
}

}  // namespace

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Failure failure_of(int error, std::string_view what, const std::filesystem::path& root) {
  if (error == ENOENT) return not_found("there is no such object");
  if (error == ENOSPC || error == EDQUOT) {
    return unavailable(fmt::format("{}: the disk of {} is full; free some space there", what, root.string()));
  }
  if (error == ELOOP || error == ENOTDIR) {
    return unavailable(
        fmt::format("{}: something in {} is a symbolic link or no folder, and is not followed; put it right",
                    what, root.string()));
  }
  return unavailable(
      fmt::format("{} in {}: {}", what, root.string(), std::generic_category().message(error)));
}

Result<File> open_folder(const File& root, const std::filesystem::path& root_path, std::string_view path,
                         Missing missing) {
  File folder(::fcntl(root.get(), F_DUPFD_CLOEXEC, 0));
  if (!folder.open()) return failure_of(errno, "cannot open", root_path);
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    auto next = open_segment(folder, std::string(path.substr(0, end)), root_path, missing);
    if (!next) return next.failure();
    folder = std::move(*next);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return folder;
}

Result<std::string> read_file(const File& folder, const std::string& name, const std::filesystem::path& root,
                              std::size_t limit) {
  const File file(::openat(folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file.open()) return failure_of(errno, "cannot open a file", root);
  std::string text(limit, '\0');
  std::size_t filled = 0;
  while (filled < limit) {
    const ssize_t count = ::read(file.get(), text.data() + filled, limit - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure_of(errno, "cannot read", root);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  text.resize(filled);
  return text;
}

Result<void> write_file(const File& folder, const std::string& name, std::string_view text,
                        const std::filesystem::path& root) {
  const File file(
      ::openat(folder.get(), name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.open()) return failure_of(errno, "cannot make a file", root);
  if (auto written = write_all(file, text, root); !written) return written;
  if (::fsync(file.get()) != 0) return failure_of(errno, "cannot make a file last", root);
  return {};
}

Result<void> write_all(const File& file, std::string_view bytes, const std::filesystem::path& root) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure_of(errno, "cannot write", root);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace collect::directory
