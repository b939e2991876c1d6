// SPDX-License-Identifier: Apache-2.0
// A Collect of the demo's own: started in this process, on the embedded engine in a temporary folder, with
// the built-in rules, whatever this machine has configured.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "app/collect.h"
#include "backend/engine.h"
#include "systems/system_registry.h"

namespace collect::app {

// While it lives, standard error goes to a file: the service logs there, and would write across the progress.
class QuietErrors {
 public:
  explicit QuietErrors(const std::filesystem::path& file);
  ~QuietErrors();
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;

 private:
  int saved_ = -1;
};

class DemoFolder {
 public:
  static Result<std::unique_ptr<DemoFolder>> make();
  // Removes it unless keep() was called.
  ~DemoFolder();
  DemoFolder(const DemoFolder&) = delete;
  DemoFolder& operator=(const DemoFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // ENV_FILE for commands that look into it afterwards.
  [[nodiscard]] std::filesystem::path settings_file() const { return path_ / "settings.env"; }
  [[nodiscard]] std::filesystem::path log_file() const { return path_ / "log"; }
  void keep() { kept_ = true; }
  [[nodiscard]] bool kept() const { return kept_; }

 private:
  explicit DemoFolder(std::filesystem::path path) : path_(std::move(path)) {}
  Result<void> write_settings() const;

  const std::filesystem::path path_;
  bool kept_ = false;
};

class DemoInstance {
 public:
  static Result<std::unique_ptr<DemoInstance>> start(const DemoFolder& folder);

  [[nodiscard]] std::string url() const { return "http://" + collect_->address(); }
  [[nodiscard]] systems::SystemRegistry& registry() { return *registry_; }
  [[nodiscard]] inventory::HistoryStore& history() { return engine_->stores().history; }
  // True: everything in hand was finished.
  bool stop() { return collect_->stop(); }

 private:
  DemoInstance() = default;

  SystemClock clock_;
  std::unique_ptr<Collect> collect_;
  std::unique_ptr<backend::Engine> engine_;  // the same database, beside the service
  std::unique_ptr<systems::SystemRegistry> registry_;
};

}  // namespace collect::app
