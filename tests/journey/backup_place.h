// SPDX-License-Identifier: Apache-2.0
// Where a service under test keeps its backups, seen from behind.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "journey/service.h"

namespace collect::test {

enum class PlaceKind { directory, fake_s3, s3rver };
std::string name_of(PlaceKind kind);

class BackupPlace {
 public:
  BackupPlace() = default;
  virtual ~BackupPlace() = default;
  BackupPlace(const BackupPlace&) = delete;
  BackupPlace& operator=(const BackupPlace&) = delete;

  // For the service, which lives in `folder`.
  [[nodiscard]] virtual Environment settings(const std::filesystem::path& folder) = 0;
  // All it holds, be it whole or not: backups, marks, parts, temporary files.
  [[nodiscard]] virtual std::vector<std::string> contents() const = 0;
  // Turns one byte of the backup with that id over. Throws when there is none.
  virtual void damage(const std::string& id, std::uint64_t offset) = 0;
  // What is larger is not sent to it in one piece.
  [[nodiscard]] virtual std::size_t piece() const = 0;
};

std::unique_ptr<BackupPlace> make_place(PlaceKind kind);

class FakeS3;
class S3rver;
// How a service keeps its backups there.
Environment settings_for(const FakeS3& storage);
Environment settings_for(const S3rver& storage);

}  // namespace collect::test
