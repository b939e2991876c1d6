// SPDX-License-Identifier: Apache-2.0
#include "backend/directory/directory_object_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>

#include "backend/directory/directory_upload.h"
#include "backend/ownership.h"

namespace collect::directory {
namespace {

using backups::ObjectEntry;
using backups::ObjectInfo;

constexpr std::size_t kMaxMetadata = 8192;

// "a/b/c" as "a/b" and "c".
std::pair<std::string_view, std::string> split(std::string_view key) {
  const auto slash = key.rfind('/');
  if (slash == std::string_view::npos) return {"", std::string(key)};
  return {key.substr(0, slash), std::string(key.substr(slash + 1))};
}

Time time_of(const timespec& time) {
  return Time(std::chrono::seconds(time.tv_sec) +
              std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(time.tv_nsec)));
}

using Names = std::vector<std::string>;

Result<Names> names_in(const File& folder, const std::filesystem::path& root) {
  // A descriptor of its own: reading moves the position that copies share.
  const int copy = ::openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(copy < 0 ? nullptr : ::fdopendir(copy), &::closedir);
  if (!stream) {
    const int error = errno;
    if (copy >= 0) ::close(copy);
    return failure_of(error, "cannot list a folder", root);
  }
  Names names;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());  // NOLINT(concurrency-mt-unsafe): a stream of its own
    if (entry == nullptr) break;
    names.emplace_back(static_cast<const char*>(entry->d_name));
  }
  if (errno != 0) return failure_of(errno, "cannot list a folder", root);
  return names;
}

// What the walk tells: the folder with its key and names.
using Visit = std::function<Result<void>(const File& folder, const std::string& prefix, const Names& names)>;

// Every folder below `folder`, itself included. What vanishes meanwhile is passed by, and so is every name
// that is no key's: other people's files.
Result<void> walk(const File& folder, const std::string& prefix, const std::filesystem::path& root,
                  const Visit& visit) {
  const auto names = names_in(folder, root);
  if (!names) return names.failure();
  if (auto visited = visit(folder, prefix, *names); !visited) return visited;
  for (const std::string& name : *names) {
    struct stat facts {};
    if (!backups::check_key(prefix + name) ||
        ::fstatat(folder.get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(facts.st_mode)) {
      continue;
    }
    const auto below = open_folder(folder, root, name, Missing::fail);
    if (!below && below.failure().kind == FailureKind::not_found) continue;
    if (!below) return below.failure();
    if (auto walked = walk(*below, prefix + name + "/", root, visit); !walked) return walked;
  }
  return {};
}

void add_objects(const File& folder, const std::string& prefix, const Names& names,
                 std::vector<ObjectEntry>& entries) {
  for (const std::string& name : names) {
    struct stat facts {};
    if (backups::check_key(prefix + name) &&
        ::fstatat(folder.get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(facts.st_mode)) {
      entries.push_back({prefix + name, static_cast<std::uint64_t>(facts.st_size), time_of(facts.st_mtim)});
    }
  }
}

// "x" of ".x.json"; empty when it is none of these.
std::string object_of(std::string_view name, std::string_view end) {
  if (name.size() <= end.size() + 1 || name.front() != '.' || !name.ends_with(end)) return {};
  return std::string(name.substr(1, name.size() - 1 - end.size()));
}

bool exists(const File& folder, const std::string& name) {
  struct stat facts {};
  return ::fstatat(folder.get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0;
}

std::size_t sweep_folder(const File& folder, const Names& names) {
  std::size_t swept = 0;
  for (const std::string& name : names) {
    if (!object_of(name, kUploadEnd).empty() && remove_if_abandoned(folder, name)) ++swept;
  }
  for (const std::string& name : names) {
    const std::string object = object_of(name, kMetadataEnd);
    // In this order: an upload that becomes an object in between is seen as the one or the other.
    if (!object.empty() && !exists(folder, upload_name(object)) && !exists(folder, object) &&
        ::unlinkat(folder.get(), name.c_str(), 0) == 0) {
      ++swept;
    }
  }
  return swept;
}

class DirectoryDownload final : public backups::Download {
 public:
  DirectoryDownload(File file, ObjectInfo info, backups::ByteRange range, std::filesystem::path root)
      : file_(std::move(file)), info_(std::move(info)), left_(range), root_(std::move(root)) {
    ::posix_fadvise(file_.get(), static_cast<off_t>(range.offset), static_cast<off_t>(range.length),
                    POSIX_FADV_SEQUENTIAL);
  }

  [[nodiscard]] const ObjectInfo& info() const override { return info_; }

  Result<std::size_t> read(std::span<char> into) override {
    const std::size_t most = std::min<std::uint64_t>(into.size(), left_.length);
    if (most == 0) return std::size_t{0};
    ssize_t count = 0;
    do {
      count = ::pread(file_.get(), into.data(), most, static_cast<off_t>(left_.offset));
    } while (count < 0 && errno == EINTR);
    if (count < 0) return failure_of(errno, "cannot read a backup", root_);
    if (count == 0)
      return unavailable(fmt::format("a backup in {} became shorter while it was read", root_.string()));
    left_.offset += static_cast<std::uint64_t>(count);
    left_.length -= static_cast<std::uint64_t>(count);
    return static_cast<std::size_t>(count);
  }

 private:
  const File file_;
  const ObjectInfo info_;
  backups::ByteRange left_;
  const std::filesystem::path root_;
};

}  // namespace

Result<std::unique_ptr<DirectoryObjectStore>> DirectoryObjectStore::open(const std::filesystem::path& root) {
  std::error_code error;
  if (std::filesystem::create_directories(root, error)) backend::give_to_owner_of_folder(root);
  if (error) {
    return unavailable(fmt::format("cannot make the directory {} for backups (COLLECT_DATA_DIR): {}",
                                   root.string(), error.message()));
  }
  // The directory itself may be a link: whoever set it up wanted that.
  File folder(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.open() || ::faccessat(folder.get(), ".", R_OK | W_OK | X_OK, 0) != 0) {
    return unavailable(fmt::format("cannot use the directory {} for backups (COLLECT_DATA_DIR): {}",
                                   root.string(), std::generic_category().message(errno)));
  }
  return std::unique_ptr<DirectoryObjectStore>(new DirectoryObjectStore(root, std::move(folder)));
}

Result<std::unique_ptr<backups::Upload>> DirectoryObjectStore::begin(std::string_view key,
                                                                     std::uint64_t size) {
  if (auto checked = backups::check_upload(key, size); !checked) return checked.failure();
  auto [path, name] = split(key);
  auto folder = open_folder(folder_, root_, path, Missing::make);
  if (!folder) return upload_failure(folder.failure(), root_);
  return DirectoryUpload::begin(root_, std::move(*folder), std::move(name), size);
}

Result<DirectoryObjectStore::Opened> DirectoryObjectStore::open_object(std::string_view key) const {
  if (auto checked = backups::check_key(key); !checked) return checked.failure();
  const auto [path, name] = split(key);
  const auto folder = open_folder(folder_, root_, path, Missing::fail);
  if (!folder) return folder.failure();
  // O_NONBLOCK: a pipe that somebody put there must not hold us up. It means nothing to files.
  File file(::openat(folder->get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  struct stat facts {};
  if (!file.open() || ::fstat(file.get(), &facts) != 0)
    return failure_of(errno, "cannot open a backup", root_);
  if (!S_ISREG(facts.st_mode)) return backups::no_such_object();
  auto text = read_file(*folder, metadata_name(name), root_, kMaxMetadata);
  if (!text && text.failure().kind != FailureKind::not_found) return text.failure();
  ObjectInfo info{{std::string(key), static_cast<std::uint64_t>(facts.st_size), time_of(facts.st_mtim)},
                  text ? parse_metadata(*text) : backups::ObjectMetadata{}};
  return Opened{std::move(file), std::move(info)};
}

Result<std::unique_ptr<backups::Download>> DirectoryObjectStore::open(
    std::string_view key, std::optional<backups::ByteRange> range) {
  auto opened = open_object(key);
  if (!opened) return opened.failure();
  const auto whole = backups::whole_range(range, opened->info.entry.size);
  if (!whole) return whole.failure();
  return std::unique_ptr<backups::Download>(
      std::make_unique<DirectoryDownload>(std::move(opened->file), std::move(opened->info), *whole, root_));
}

Result<ObjectInfo> DirectoryObjectStore::head(std::string_view key) {
  auto opened = open_object(key);
  if (!opened) return opened.failure();
  return std::move(opened->info);
}

Result<std::vector<ObjectEntry>> DirectoryObjectStore::list(std::string_view prefix) {
  if (auto checked = backups::check_prefix(prefix); !checked) return checked.failure();
  std::vector<ObjectEntry> entries;
  const auto folder =
      open_folder(folder_, root_, prefix.substr(0, prefix.empty() ? 0 : prefix.size() - 1), Missing::fail);
  if (!folder && folder.failure().kind == FailureKind::not_found) return entries;
  if (!folder) return folder.failure();
  const auto walked = walk(*folder, std::string(prefix), root_,
                           [&](const File& at, const std::string& below, const Names& names) -> Result<void> {
                             add_objects(at, below, names, entries);
                             return {};
                           });
  if (!walked) return walked.failure();
  std::sort(entries.begin(), entries.end(),
            [](const ObjectEntry& a, const ObjectEntry& b) { return a.key < b.key; });
  return entries;
}

Result<void> DirectoryObjectStore::remove(std::string_view key) {
  if (auto checked = backups::check_key(key); !checked) return checked;
  const auto [path, name] = split(key);
  const auto folder = open_folder(folder_, root_, path, Missing::fail);
  if (!folder && folder.failure().kind == FailureKind::not_found) return {};
  if (!folder) return folder.failure();
  // The object first: metadata without one is swept, an object without any would be one.
  for (const std::string& file : {name, metadata_name(name)}) {
    if (::unlinkat(folder->get(), file.c_str(), 0) != 0 && errno != ENOENT)
      return failure_of(errno, "cannot remove a backup", root_);
  }
  if (::fsync(folder->get()) != 0) return failure_of(errno, "cannot remove a backup", root_);
  return {};
}

Result<std::size_t> DirectoryObjectStore::sweep(Time /*now*/) {
  std::size_t swept = 0;
  const auto walked =
      walk(folder_, "", root_, [&](const File& at, const std::string&, const Names& names) -> Result<void> {
        swept += sweep_folder(at, names);
        return {};
      });
  if (!walked) return walked.failure();
  return swept;
}

}  // namespace collect::directory
