// SPDX-License-Identifier: Apache-2.0
// Fills the database that the settings name with the history of a few systems, as it came in over years: for
// bench/retention.py. Prints "<systems> <records> <seconds>".
//   retention_fill SYSTEMS DAYS BYTES
#include <fmt/format.h>

#include <cstdlib>

#include "backend/engine.h"
#include "base/hash.h"
#include "fleet/appliance.h"

namespace collect {
namespace {

struct Source {
  SystemId id;
  fleet::Appliance appliance;
};

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}\n", result.failure().message);
  std::exit(1);
}

SystemId id_number(int number) {
  return SystemId(fmt::format("00000000-0000-4000-8000-{:012x}", number));
}

std::vector<Source> add_systems(systems::SystemStore& store, int count, std::size_t bytes, Time now) {
  std::vector<Source> sources;
  for (int i = 0; i < count; ++i) {
    systems::NewSystem system;
    system.id = id_number(i);
    system.system_key = fmt::format("NETH-{:04}", i);
    system.organization_id = OrganizationId("bench");
    system.secret = {fmt::format("p{}", i), "none"};
    if (const auto made = store.create(system, now); !made) must(Result<int>(made.failure()));
    const auto kind = i % 2 == 0 ? fleet::Kind::ns8 : fleet::Kind::nsec;
    sources.push_back({system.id, fleet::Appliance({kind, static_cast<std::uint64_t>(i), bytes, 0.2})});
  }
  return sources;
}

// One report of each, received at that time.
void take_in(inventory::IntakeStore& store, std::vector<Source>& sources, int round, Time at) {
  std::vector<inventory::Arrival> batch;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const auto& report = round == 0 ? sources[i].appliance.first() : sources[i].appliance.next();
    batch.push_back({MessageId(fmt::format("{:08x}-0000-4000-8000-{:012x}", round, i)), sources[i].id, at,
                     std::nullopt, report.json, to_hex(sha256(report.json))});
  }
  must(store.take_in(batch, at, [&](const inventory::IntakeState&) {
    inventory::IntakePlan plan;
    for (std::size_t i = 0; i < batch.size(); ++i) plan.records.push_back({i, "", false});
    return plan;
  }));
}

int fill(int systems, int days, std::size_t bytes) {
  const auto settings = must(load_settings(process_environment)).settings;
  const SystemClock clock;
  const Time now = clock.now();
  must(backend::migrate(settings, now));
  const auto engine = must(backend::open(settings, backend::Use::stores, clock));
  const auto stores = engine->stores();
  systems::Organization organization;
  organization.row_id = "bench";
  organization.logto_id = OrganizationId("bench");
  organization.name = "Bench";
  if (const auto made = stores.systems.create_organization(organization, now); !made) {
    must(Result<int>(made.failure()));
  }
  auto sources = add_systems(stores.systems, systems, bytes, now);
  // Half a day off the borders of the table, which go on while the bench runs. The last week has six a day.
  int round = 0;
  for (int day = days; day > 7; --day) {
    take_in(stores.intake, sources, round++, now - std::chrono::days(day) + std::chrono::hours(12));
  }
  for (int hours = 7 * 24; hours > 0; hours -= 4) {
    take_in(stores.intake, sources, round++, now - std::chrono::hours(hours) + std::chrono::hours(2));
  }
  fmt::print("{} {} {:.1f}\n", systems, systems * round,
             std::chrono::duration<double>(clock.now() - now).count());
  return 0;
}

}  // namespace
}  // namespace collect

int main(int count, char** words) {
  if (count != 4) return 2;
  return collect::fill(std::atoi(words[1]), std::atoi(words[2]),
                       static_cast<std::size_t>(std::atoi(words[3])));
}
