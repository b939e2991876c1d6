// SPDX-License-Identifier: Apache-2.0
#include "contract/store_contract.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/json.h"

namespace collect::test {

using inventory::Arrival;

Time at(std::int64_t seconds) {
  return Time{std::chrono::sys_days{std::chrono::year{2026} / 3 / 29} + std::chrono::seconds{seconds} +
              std::chrono::microseconds{678901}};
}

bool same_json(std::string_view a, std::string_view b) {
  const auto left = json::Document::parse(a);
  const auto right = json::Document::parse(b);
  return left.ok() && right.ok() && json::equal(left->root(), right->root());
}

SystemId id_of(std::string_view word) {
  const auto hex = to_hex(sha256(word));
  return SystemId(fmt::format("{}-{}-4{}-8{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(13, 3),
                              hex.substr(17, 3), hex.substr(20, 12)));
}

StoreContract::StoreContract() : ground_(GetParam().open_fresh()), stores_(ground_->ports()) {
  systems::Organization organization;
  organization.row_id = id_of("organization 1").text();
  organization.logto_id = OrganizationId("org-1");
  organization.name = "First";
  const auto made = stores_.systems.create_organization(organization, at(0));
  if (!made) throw std::runtime_error(made.failure().message);
}

systems::NewSystem StoreContract::new_system(std::string_view word) {
  systems::NewSystem system;
  system.id = id_of(word);
  system.system_key = fmt::format("NETH-{}", word);
  system.organization_id = OrganizationId("org-1");
  system.secret = {fmt::format("public-{}", word), "00:11"};
  return system;
}

void StoreContract::add_systems(std::initializer_list<std::string_view> words) {
  for (const auto word : words) {
    const auto made = stores_.systems.create(new_system(word), at(0));
    if (!made) throw std::runtime_error(made.failure().message);
  }
}

Arrival StoreContract::arrival(std::string_view message, std::string_view system, std::string document,
                               std::int64_t seconds) {
  Arrival made;
  made.message_id = MessageId(std::string(message));
  made.system_id = id_of(system);
  made.received_at = at(seconds);
  made.hash = to_hex(sha256(document));
  made.document = std::move(document);
  return made;
}

inventory::IntakePlan StoreContract::plan_all(const std::vector<Arrival>& batch) {
  inventory::IntakePlan plan;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    plan.records.push_back({i, "derived", false});
    plan.processed.push_back({batch[i].message_id, batch[i].system_id, inventory::Outcome::stored,
                              inventory::RecordRef{std::nullopt, i}, "", batch[i].received_at});
  }
  return plan;
}

std::vector<RecordId> StoreContract::store(const std::vector<Arrival>& batch, std::int64_t now_seconds) {
  auto ids = stores_.intake.take_in(batch, at(now_seconds),
                                    [&](const inventory::IntakeState&) { return plan_all(batch); });
  if (!ids) throw std::runtime_error(ids.failure().message);
  return std::move(*ids);
}

Result<std::vector<inventory::Compared>> StoreContract::compare(std::string_view system,
                                                                const inventory::DecideComparison& decide,
                                                                std::int64_t now_seconds,
                                                                std::optional<Time> changed_since) {
  const std::vector<SystemId> systems = {id_of(system)};
  inventory::ComparisonQuestion question;
  question.systems = systems;
  question.now = at(now_seconds);
  question.changed_since = changed_since;
  return stores_.comparison.compare(question, decide);
}

systems::System StoreContract::find(std::string_view word) {
  auto login = stores_.systems.find(id_of(word).text());
  if (!login || !*login) throw std::runtime_error(fmt::format("no system {}", word));
  return (*login)->system;
}

}  // namespace collect::test
