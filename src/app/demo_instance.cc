// SPDX-License-Identifier: Apache-2.0
#include "app/demo_instance.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "base/log.h"
#include "diff/default_config.h"

namespace collect::app {

QuietErrors::QuietErrors(const std::filesystem::path& file) {
  const int log = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return;  // noisy, then
  saved_ = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  dup2(log, STDERR_FILENO);
  close(log);
}

QuietErrors::~QuietErrors() {
  if (saved_ < 0) return;
  dup2(saved_, STDERR_FILENO);
  close(saved_);
}

Result<std::unique_ptr<DemoFolder>> DemoFolder::make() {
  std::error_code error;
  auto pattern = (std::filesystem::temp_directory_path(error) / "collect-demo-XXXXXX").string();
  if (error || mkdtemp(pattern.data()) == nullptr)
    return unavailable(fmt::format("expected to make a folder like {}: {}", pattern, std::strerror(errno)));
  std::unique_ptr<DemoFolder> folder(new DemoFolder(pattern));
  if (auto written = folder->write_settings(); !written) return written.failure();
  return folder;
}

DemoFolder::~DemoFolder() {
  std::error_code ignored;
  if (!kept_) std::filesystem::remove_all(path_, ignored);
}

Result<void> DemoFolder::write_settings() const {
  const auto rules = path_ / "config.yml";
  std::ofstream(rules) << diff::default_config();
  std::ofstream file(settings_file());
  file << fmt::format("COLLECT_DATA_DIR={}\nCOLLECT_CONFIG={}\nLISTEN_ADDRESS=127.0.0.1:0\nLOG_LEVEL=warn\n",
                      (path_ / "data").string(), rules.string());
  file.close();
  if (!file) return unavailable(fmt::format("{} cannot be written", settings_file().string()));
  return {};
}

Result<std::unique_ptr<DemoInstance>> DemoInstance::start(const DemoFolder& folder) {
  const auto only_ours = [&](const std::string& name) -> std::optional<std::string> {
    return name == "ENV_FILE" ? std::optional(folder.settings_file().string()) : std::nullopt;
  };
  auto loaded = load_settings(only_ours);
  if (!loaded) return loaded.failure();
  const auto& settings = loaded->settings;
  log::configure(settings.log_level, settings.log_format);
  auto config = load_config(settings);
  if (!config) return config.failure();

  std::unique_ptr<DemoInstance> instance(new DemoInstance());
  auto collect = Collect::start(settings, std::move(*config), Role::all);
  if (!collect) return collect.failure();
  instance->collect_ = std::move(*collect);
  auto engine = backend::open(settings, backend::Use::stores, instance->clock_);
  if (!engine) return engine.failure();
  instance->engine_ = std::move(*engine);
  instance->registry_ = std::make_unique<systems::SystemRegistry>(
      instance->engine_->stores().systems, static_cast<std::size_t>(settings.system_secret_min_length),
      systems::Announce());
  return instance;
}

}  // namespace collect::app
