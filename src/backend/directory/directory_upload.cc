// SPDX-License-Identifier: Apache-2.0
#include "backend/directory/directory_upload.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/json.h"

namespace collect::directory {
namespace {

constexpr std::uint64_t kFlushStep = std::uint64_t{8} * 1024 * 1024;

// A file that this process holds the lock of. A sweep, or another who makes it, in another process may look
// at it between its making and its locking, take it for abandoned and remove it: then once more.
Result<File> make_locked(const File& folder, const std::string& name, const std::filesystem::path& root) {
  for (int tries = 0; tries < 10; ++tries) {
    File file(
        ::openat(folder.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.open() && errno == EEXIST) {
      if (remove_if_abandoned(folder, name)) continue;  // who made it was killed
      return conflict("this object is being uploaded already");
    }
    if (!file.open()) return failure_of(errno, "cannot make a file", root);
    if (::flock(file.get(), LOCK_EX) != 0) return failure_of(errno, "cannot lock a file", root);
    struct stat facts {};
    if (::fstat(file.get(), &facts) == 0 && facts.st_nlink > 0) return file;
  }
  return unavailable("files in " + root.string() + " vanish as soon as they are made");
}

std::string text_of(const json::Document& document, std::string_view key) {
  const json::Value* value = document.root().find(key);
  return value != nullptr && value->is_string() ? std::string(value->text) : std::string();
}

}  // namespace

std::string metadata_text(const backups::ObjectMetadata& metadata) {
  json::Writer writer;
  writer.begin_object()
      .member("sha256", metadata.sha256)
      .member("filename", metadata.filename)
      .member("uploader_ip", metadata.uploader_ip)
      .member("content_type", metadata.content_type)
      .end_object();
  return std::move(writer).text() + "\n";
}

backups::ObjectMetadata parse_metadata(std::string_view text) {
  const auto document = json::Document::parse(text);
  if (!document) return {};
  return backups::without_bad_parts({text_of(*document, "sha256"), text_of(*document, "filename"),
                                     text_of(*document, "uploader_ip"), text_of(*document, "content_type")});
}

bool remove_if_abandoned(const File& folder, const std::string& name) {
  const File file(::openat(folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  // Locked until it is removed: who has just made it waits, and sees then that it is gone. One that somebody
  // else removed meanwhile has no name any more, and what has that name now is theirs.
  struct stat facts {};
  return file.open() && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0 && ::fstat(file.get(), &facts) == 0 &&
         facts.st_nlink > 0 && ::unlinkat(folder.get(), name.c_str(), 0) == 0;
}

Failure upload_failure(Failure failure, const std::filesystem::path& root) {
  if (failure.kind != FailureKind::not_found) return failure;
  return unavailable("the directory " + root.string() +
                     " for backups, or a folder in it, was removed; put it back and start Collect anew");
}

Result<std::unique_ptr<backups::Upload>> DirectoryUpload::begin(std::filesystem::path root, File folder,
                                                                std::string name, std::uint64_t size) {
  auto file = make_locked(folder, upload_name(name), root);
  if (!file) return upload_failure(file.failure(), root);
  const int descriptor = file->get();
  std::unique_ptr<DirectoryUpload> upload(
      new DirectoryUpload(std::move(root), std::move(folder), std::move(*file), std::move(name), size));
  // A disk without the room says so before a byte has come. Not every file system can tell.
  if (::fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size)) != 0 &&
      (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)) {
    return failure_of(errno, "cannot make room for a backup", upload->root_);
  }
  return std::unique_ptr<backups::Upload>(std::move(upload));
}

DirectoryUpload::~DirectoryUpload() {
  if (!finished_) clean_up();
}

void DirectoryUpload::clean_up() noexcept {
  // What stays after a crash in between is an upload without a lock, which a sweep removes.
  if (named_) ::unlinkat(folder_.get(), name_.c_str(), 0);
  if (described_) ::unlinkat(folder_.get(), metadata_name(name_).c_str(), 0);
  ::unlinkat(folder_.get(), upload_name(name_).c_str(), 0);
}

Failure DirectoryUpload::end(Failure failure) {
  ended_ = failure;
  return failure;
}

Result<void> DirectoryUpload::write(std::string_view bytes) {
  if (ended_) return *ended_;
  if (bytes.size() > size_ - written_) return end(backups::longer_than_announced(size_));
  if (auto written = write_all(file_, bytes, root_); !written)
    return end(upload_failure(written.failure(), root_));
  written_ += bytes.size();
  if (written_ - flushed_ >= kFlushStep) {
    // The disk begins now, so that finish() need not wait for all of it.
    ::sync_file_range(file_.get(), static_cast<off_t>(flushed_), static_cast<off_t>(written_ - flushed_),
                      SYNC_FILE_RANGE_WRITE);
    flushed_ = written_;
  }
  return {};
}

Result<void> DirectoryUpload::finish(const backups::ObjectMetadata& metadata) {
  if (ended_) return *ended_;
  if (auto checked = backups::check_metadata(metadata); !checked) return end(checked.failure());
  if (written_ != size_) return end(backups::shorter_than_announced(size_, written_));
  if (auto published = publish(metadata); !published) {
    clean_up();
    return end(upload_failure(published.failure(), root_));
  }
  finished_ = true;
  ended_ = internal("the upload is finished");
  return {};
}

// The object's name appears last: until then there is nothing to see.
Result<void> DirectoryUpload::publish(const backups::ObjectMetadata& metadata) {
  if (::fsync(file_.get()) != 0) return failure_of(errno, "cannot make a backup last", root_);
  described_ = true;
  if (auto written = write_file(folder_, metadata_name(name_), metadata_text(metadata), root_); !written)
    return written;
  if (::renameat(folder_.get(), upload_name(name_).c_str(), folder_.get(), name_.c_str()) != 0)
    return failure_of(errno, "cannot name a backup", root_);
  named_ = true;
  if (::fsync(folder_.get()) != 0) return failure_of(errno, "cannot make a backup last", root_);
  return {};
}

}  // namespace collect::directory
