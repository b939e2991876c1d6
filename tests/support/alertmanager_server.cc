// SPDX-License-Identifier: Apache-2.0
#include "support/alertmanager_server.h"

#include <fstream>
#include <stdexcept>

#include "support/http_client.h"

namespace collect::test {

AlertmanagerServer::AlertmanagerServer() : port_(free_port()) {
  const auto config = folder_.path() / "alertmanager.yml";
  std::ofstream(config) << "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n";
  process_ = std::make_unique<Process>(ProcessOptions{
      .command = {"prometheus-alertmanager", "--config.file=" + config.string(),
                  "--storage.path=" + folder_.path().string(),
                  "--cluster.listen-address=", "--web.listen-address=127.0.0.1:" + std::to_string(port_),
                  "--web.route-prefix=/alertmanager"}});
  if (!process_->wait_for_http(port_, "/alertmanager/-/ready"))
    throw std::runtime_error("prometheus-alertmanager does not start: " + process_->err());
}

std::string AlertmanagerServer::alerts(const std::string& query) const {
  return HttpClient(port_).get("/alertmanager/api/v2/alerts?" + query).body;
}

}  // namespace collect::test
