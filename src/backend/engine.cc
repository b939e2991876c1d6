// SPDX-License-Identifier: Apache-2.0
#include "backend/engine.h"

#include <fmt/format.h>

#include <filesystem>

#include "backend/embedded_engine.h"
#include "backend/postgres/migrations.h"
#include "backend/server_engine.h"
#include "backend/sqlite/migrations.h"

namespace collect::backend {

// Others may read PostgreSQL's column `data`; nobody but Collect reads the embedded file.
inventory::DocumentForm document_form(const Settings& settings) {
  const bool packed =
      settings.inventory_store.empty() ? settings.embedded() : settings.inventory_store == "compact";
  return packed ? inventory::DocumentForm::packed : inventory::DocumentForm::plain;
}

Result<std::unique_ptr<Engine>> open(const Settings& settings, Use use, const Clock& clock) {
  return settings.embedded() ? open_embedded(settings, use, clock) : open_servers(settings, use);
}

Result<std::vector<std::string>> migrate(const Settings& settings, Time now) {
  if (!settings.embedded()) {
    auto report = postgres::migrate({.url = settings.database_url}, now);
    if (!report) return report.failure();
    return std::move(report->applied);
  }
  const std::filesystem::path file = embedded_database(settings);
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error) {
    return unavailable(fmt::format("cannot make the directory {} (COLLECT_DATA_DIR): {}",
                                   file.parent_path().string(), error.message()));
  }
  auto database = sqlite::Database::open(file, {});
  if (!database) return database.failure();
  return sqlite::migrate(**database, now);
}

}  // namespace collect::backend
