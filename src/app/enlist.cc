// SPDX-License-Identifier: Apache-2.0
#include "app/enlist.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace collect::app {
namespace {

constexpr std::array<std::string_view, 12> kPlaces{"Milano", "Pesaro", "Lyon",  "Zürich", "Bolzano", "Graz",
                                                   "Porto",  "Gent",   "Forlì", "Aarhus", "Brno",    "Cork"};

std::string name_of(std::size_t number, fleet::Kind kind) {
  const auto round = number / kPlaces.size();
  return fmt::format("{}{} {}", kPlaces[number % kPlaces.size()],
                     round == 0 ? "" : fmt::format(" {}", round + 1),
                     kind == fleet::Kind::ns8 ? "cluster" : "firewall");
}

}  // namespace

Result<std::vector<Enlisted>> enlist(systems::SystemRegistry& registry, const std::string& organization,
                                     std::size_t count, std::uint64_t first_seed, Time now) {
  systems::OrganizationOrder order;
  order.name = organization;
  const auto owner = registry.create_organization(order, now);
  if (!owner) return owner.failure();
  std::vector<Enlisted> enlisted;
  enlisted.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto kind = i % 3 == 1 ? fleet::Kind::nsec : fleet::Kind::ns8;
    const auto name = name_of(i, kind);
    auto issued = registry.create({.organization_id = owner->logto_id, .name = name}, now);
    if (!issued) return issued.failure();
    enlisted.push_back({issued->id, name, kind, first_seed + i, {issued->system_key, issued->system_secret}});
  }
  return enlisted;
}

}  // namespace collect::app
