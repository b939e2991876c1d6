// SPDX-License-Identifier: Apache-2.0
// For tests only: a SystemStore in memory that can be told to fail and that counts what it is asked.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "systems/credential.h"
#include "systems/system_store.h"

namespace collect::systems {

class FakeSystemStore final : public SystemStore {
 public:
  Result<std::optional<Login>> find(std::string_view key_or_id) override {
    ++finds;
    if (on_find) on_find();
    const std::lock_guard lock(mutex_);
    if (failure) return *failure;
    for (const auto& [id, login] : logins) {
      if (login.system.system_key == key_or_id || id == key_or_id) return std::optional(login);
    }
    return std::optional<Login>();
  }
  Result<std::vector<System>> list(const SystemFilter& filter) override {
    if (failure) return *failure;
    std::vector<System> out;
    for (const auto& [id, login] : logins) {
      if (filter.organization_id && *filter.organization_id != login.system.organization_id) continue;
      if (!filter.include_deleted && login.system.deleted_at) continue;
      out.push_back(login.system);
    }
    return out;
  }
  Result<Count> count(const SystemFilter& filter) override {
    const auto all = list(filter);
    if (!all) return all.failure();
    return Count{static_cast<std::int64_t>(all->size())};
  }
  Result<void> create(const NewSystem& system, Time now) override {
    if (failure) return *failure;
    if (conflicts > 0 && conflicts-- > 0) return conflict("the key is taken");
    Login login;
    login.system.id = system.id;
    login.system.system_key = system.system_key;
    login.system.name = system.name;
    login.system.status = "unknown";
    login.system.organization_id = system.organization_id;
    login.system.created_at = login.system.updated_at = now;
    if (system.registered) login.system.registered_at = now;
    login.secret = system.secret;
    logins[system.id.text()] = login;
    ++revision_;
    return {};
  }
  Result<void> change(const SystemId& id, const SystemChange& change, Time now) override {
    const std::lock_guard lock(mutex_);
    if (failure) return *failure;
    Login& login = logins.at(id.text());
    using Suspension = SystemChange::Suspension;
    if (change.suspension == Suspension::suspend) login.system.suspended_at = now;
    if (change.suspension == Suspension::lift) login.system.suspended_at.reset();
    if (change.secret) login.secret = change.secret;
    if (change.remove) {
      login.system.deleted_at = now;
      login.system.status = "deleted";
    }
    ++revision_;
    return {};
  }
  Result<void> create_organization(const Organization& organization, Time) override {
    if (failure) return *failure;
    organizations.push_back(organization);
    return {};
  }
  Result<std::vector<Organization>> list_organizations() override { return organizations; }
  Result<std::int64_t> revision() override {
    if (failure) return *failure;
    return revision_;
  }

  std::map<std::string, Login> logins;  // by id
  std::vector<Organization> organizations;
  std::optional<Failure> failure;  // of every call
  std::function<void()> on_find;   // called at the start of find()
  std::atomic<int> finds{0};
  int conflicts = 0;  // of the next calls of create()

 private:
  std::mutex mutex_;
  std::int64_t revision_ = 0;
};

}  // namespace collect::systems
