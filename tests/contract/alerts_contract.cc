// SPDX-License-Identifier: Apache-2.0
#include "contract/alerts_contract.h"

#include <fmt/format.h>

namespace collect::test {

RecordId AlertsContract::changed(std::string_view system, std::vector<diff::Change> changes,
                                 std::int64_t seconds) {
  const auto number = ++messages_;
  const auto id =
      store({arrival(fmt::format("m{}", number), system, fmt::format(R"({{"n":{}}})", number), seconds)},
            seconds)[0];
  const auto done = compare(
      system,
      [&](const inventory::ComparisonState&) -> std::vector<inventory::RecordDiffs> {
        return {{id, std::nullopt, "", changes}};
      },
      seconds);
  if (!done) throw std::runtime_error(done.failure().message);
  return id;
}

Result<alerts::Notified> AlertsContract::notify(std::string_view system, const std::vector<RecordId>& records,
                                                std::int64_t seconds, const alerts::DecideNotify& decide) {
  return stores_.alerts.notify({id_of(system), records, at(0), at(seconds)}, decide);
}

void AlertsContract::alert(std::string_view system, const std::vector<std::string>& paths,
                           std::int64_t seconds, diff::Severity severity, std::vector<std::string> channels) {
  std::vector<diff::Change> changes;
  for (const auto& path : paths) changes.push_back(change(path, "1", "2"));
  const auto record = changed(system, std::move(changes), seconds);
  const auto done = notify(system, {record}, seconds + 1, one_each("rule", severity, std::move(channels)));
  if (!done) throw std::runtime_error(done.failure().message);
}

std::vector<alerts::ListedAlert> AlertsContract::listed(const alerts::AlertFilter& filter) {
  auto found = stores_.alerts.list(filter);
  if (!found) throw std::runtime_error(found.failure().message);
  return std::move(*found);
}

void AlertsContract::add_organization_with_system(const std::string& organization, std::string_view system) {
  systems::Organization made;
  made.row_id = id_of("organization " + organization).text();
  made.logto_id = OrganizationId(organization);
  made.name = "Second";
  auto added = new_system(system);
  added.organization_id = made.logto_id;
  for (const auto& done :
       {stores_.systems.create_organization(made, at(0)), stores_.systems.create(added, at(0))}) {
    if (!done) throw std::runtime_error(done.failure().message);
  }
}

}  // namespace collect::test
