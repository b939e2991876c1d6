// SPDX-License-Identifier: Apache-2.0
#include "backend/object_stores.h"

#include <fmt/format.h>

#include <filesystem>

#include "backend/directory/directory_object_store.h"
#include "backend/s3/s3_object_store.h"
#include "net/http_client.h"

namespace collect::backend {
namespace {

std::filesystem::path backups_folder(const Settings& settings) {
  return std::filesystem::path(settings.data_dir) / "backups";
}

}  // namespace

Result<std::unique_ptr<backups::ObjectStore>> open_object_store(const Settings& settings) {
  if (!settings.s3_endpoint.empty()) {
    auto options = s3::s3_options(settings);
    if (!options) return options.failure();
    return std::unique_ptr<backups::ObjectStore>(std::make_unique<s3::S3ObjectStore>(std::move(*options)));
  }
  auto store = directory::DirectoryObjectStore::open(backups_folder(settings));
  if (!store) return store.failure();
  return std::unique_ptr<backups::ObjectStore>(std::move(*store));
}

Result<void> check_object_store(const Settings& settings) {
  if (settings.s3_endpoint.empty()) return {};
  if (const auto options = s3::s3_options(settings); !options) return options.failure();
  return {};
}

std::string object_store_name(const Settings& settings) {
  if (settings.s3_endpoint.empty()) return backups_folder(settings).string();
  return fmt::format("bucket {} at {}", settings.backup_s3_bucket, net::http_origin(settings.s3_endpoint));
}

}  // namespace collect::backend
