// SPDX-License-Identifier: Apache-2.0
// A real prometheus-alertmanager on a free port of 127.0.0.1, as Mimir shows each tenant one: everything lies
// below /alertmanager. It knows no tenants.
#pragma once

#include <memory>
#include <string>

#include "support/process.h"

namespace collect::test {

class AlertmanagerServer {
 public:
  // Returns once it is ready; throws when it does not get so. It notifies nobody.
  AlertmanagerServer();

  [[nodiscard]] int port() const { return port_; }
  // What MIMIR_URL would say.
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  // GET …/api/v2/alerts with that query: the JSON list.
  [[nodiscard]] std::string alerts(const std::string& query = "active=true") const;
  void kill_hard() { process_->kill_hard(); }

 private:
  TempDir folder_;
  int port_;
  std::unique_ptr<Process> process_;
};

}  // namespace collect::test
