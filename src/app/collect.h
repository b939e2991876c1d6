// SPDX-License-Identifier: Apache-2.0
// The whole service: builds every part, starts them in order, stops them in reverse.
#pragma once

#include <memory>
#include <string>

#include "app/config_file.h"
#include "base/clock.h"
#include "base/settings.h"

namespace collect::app {

enum class Role { all, api, worker };

// Resources of a running service; destroying it stops it (stop() tells whether cleanly).
class Collect {
 public:
  // Opens the engine, brings its tables up to date, and serves when this returns. The failure says what is
  // missing.
  static Result<std::unique_ptr<Collect>> start(const Settings& settings, Config config, Role role);
  ~Collect();
  Collect(const Collect&) = delete;
  Collect& operator=(const Collect&) = delete;

  // host:port of the API as bound; empty in role worker.
  [[nodiscard]] const std::string& address() const;
  // What to tell the person who started it.
  [[nodiscard]] std::string banner() const;
  // Reads config.yml and the certificate again. A bad one is logged, and the one in use stays.
  void reload();
  // Takes no new requests, lets those in hand and the batches in hand finish. True: nothing was cut off.
  bool stop();

 private:
  struct Parts;
  explicit Collect(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace collect::app
