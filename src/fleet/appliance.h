// SPDX-License-Identifier: Apache-2.0
// Simulated appliances for the demo, for load and for tests: each sends inventories in the shapes of the real
// ones, changes a little with every report, and knows what a perfect differ (with the built-in rules) says
// about it. All values are invented: documentation addresses (RFC 5737, RFC 3849) and names (RFC 2606).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace collect::fleet {

enum class Kind : std::uint8_t { ns8, nsec };
std::string_view to_string(Kind kind);  // "ns8", "nsec"

// A change that must be found; `type` is create, update or delete.
struct Expected {
  std::string path;  // dotted, as diff::Change::field_path
  std::string_view type;
};

// Something happened to the appliance.
struct Event {
  std::string words;  // for people: "Mail 1.7.12 → 1.7.13 (mail1)"
  std::vector<Expected> changes;
};

struct Report {
  std::string json;
  // nullopt: nothing but what moves by itself (uptime, memory, the order of sets), of which nothing may be
  // told.
  std::optional<Event> event;
};

struct ApplianceOptions {
  Kind kind = Kind::ns8;
  std::uint64_t seed = 1;
  // About how long a report is; ns8 starts at some 8,000 bytes, nsec at some 6,000.
  std::size_t size_bytes = 30'000;
  // That a report after the first one carries an event.
  double event_probability = 0.2;
};

class Machine;

// The same options give the same reports. One thread at a time.
class Appliance {
 public:
  explicit Appliance(const ApplianceOptions& options);
  ~Appliance();
  Appliance(Appliance&&) noexcept;
  Appliance& operator=(Appliance&&) noexcept;

  // Its state as it is; called once, to begin with. The reference holds until the next call, here as below.
  const Report& first();
  // Its state some time later; no two reports are alike.
  const Report& next();
  // What it calls itself.
  [[nodiscard]] const std::string& fqdn() const;

 private:
  void render();

  std::unique_ptr<Machine> machine_;
  double event_probability_;
  Report report_;
};

}  // namespace collect::fleet
