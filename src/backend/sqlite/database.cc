// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/database.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "backend/ownership.h"

namespace collect::sqlite {
void Transaction::commit() {
  // A statement that met a full disk has rolled everything back, whatever f made of its failure.
  if (!connection_.in_transaction())
    throw Fault(unavailable("SQLite has rolled the transaction back: nothing was written"));
  // COMMIT itself may fail (BUSY, FULL, IOERR); the destructor rolls back what is still open then.
  connection_.run("COMMIT");
}

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file, const Options& options) {
  // The write-ahead log takes its permissions from the file, which SQLite itself would make readable to all.
  // Only a new file is touched: closing a descriptor of a file drops this process's locks on it.
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor >= 0) {
    ::close(descriptor);
    backend::give_to_owner_of_folder(file);
  }
  try {
    return std::unique_ptr<Database>(new Database(file, options));
  } catch (const Fault& fault) {
    return fault.failure();
  }
}

Database::Database(std::filesystem::path file, const Options& options)
    : file_(std::move(file)),
      options_(options),
      writer_(std::make_unique<Connection>(
          file_, Connection::Use::write, Connection::Setup{options.busy_timeout, options.write_cache_kib})) {
  free_readers_.reserve(std::max<std::size_t>(options_.readers, 1));  // so that put_back() cannot fail
}

// On a full disk the log must not be what takes the room that somebody makes: until all that it holds has
// found its place in the file, which then gives the log's room back, nothing is written.
void Database::find_room() {
  const auto now = std::chrono::steady_clock::now();
  if (now < look_again_at_) throw Fault(unavailable("the disk was full a moment ago"));
  look_again_at_ = now + options_.between_looks;
  writer_->empty_log();
  look_again_at_ = {};
}

std::unique_ptr<Connection> Database::take_reader() {
  std::unique_lock lock(read_mutex_);
  reader_free_.wait(lock, [&] {
    return !free_readers_.empty() || opened_readers_ < std::max<std::size_t>(options_.readers, 1);
  });
  if (!free_readers_.empty()) {
    auto reader = std::move(free_readers_.back());
    free_readers_.pop_back();
    return reader;
  }
  auto reader = std::make_unique<Connection>(
      file_, Connection::Use::read, Connection::Setup{options_.busy_timeout, options_.read_cache_kib});
  ++opened_readers_;
  return reader;
}

void Database::put_back(std::unique_ptr<Connection> reader) noexcept {
  {
    const std::lock_guard lock(read_mutex_);
    free_readers_.push_back(std::move(reader));
  }
  reader_free_.notify_one();
}

}  // namespace collect::sqlite
