// SPDX-License-Identifier: Apache-2.0
#include "inventory/derive.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/hash.h"

namespace collect::inventory {
namespace {

using json::Value;

constexpr std::size_t kMaxText = 255;

// A non-empty string of sensible length; anything else says nothing.
std::optional<std::string> text_at(const Value* object, std::initializer_list<std::string_view> keys) {
  const Value* value = object == nullptr ? nullptr : object->at(keys);
  if (value == nullptr || !value->is_string() || value->text.empty() || value->text.size() > kMaxText) {
    return std::nullopt;
  }
  return std::string(value->text);
}

std::optional<std::string> address(std::optional<std::string> text, int family) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  if (!text || inet_pton(family, text->c_str(), parsed.data()) != 1) return std::nullopt;
  return text;
}

// Host names as RFC 1123 has them, underscores included because they are seen.
std::optional<std::string> host_name(std::optional<std::string> text) {
  constexpr std::size_t kMaxHostName = 253;
  if (!text || text->size() > kMaxHostName) return std::nullopt;
  const bool valid = std::all_of(text->begin(), text->end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
  return valid ? text : std::nullopt;
}

const Value* leader_node(const Value& nodes) {
  for (const json::Member& node : nodes.members) {
    const Value* leads = node.value.find("cluster_leader");
    if (leads != nullptr && leads->type == json::Type::boolean && leads->boolean) return &node.value;
  }
  return nodes.find("1");
}

// ---------------------------------------------------------------- systems

void read_cluster(const Value& facts, SystemFacts& out) {
  out.type = "ns8";
  out.name = text_at(&facts, {"cluster", "ui_name"});
  const Value* nodes = facts.find("nodes");
  const Value* leader = nodes == nullptr ? nullptr : leader_node(*nodes);
  out.fqdn = host_name(text_at(leader, {"fqdn"}));
  out.version = text_at(leader, {"version"});
  out.ipv4_address = address(text_at(leader, {"default_ipv4"}), AF_INET);
  out.ipv6_address = address(text_at(leader, {"default_ipv6"}), AF_INET6);
}

void read_firewall(const Value& facts, SystemFacts& out) {
  out.type = "nsec";
  out.fqdn = host_name(text_at(&facts, {"fqdn"}));
  out.version = text_at(&facts, {"distro", "version"});
  out.ipv4_address = address(text_at(&facts, {"default_ipv4"}), AF_INET);
  out.ipv6_address = address(text_at(&facts, {"default_ipv6"}), AF_INET6);
}

void read_flat(const Value& document, SystemFacts& out) {
  out.type = text_at(&document, {"os", "type"});
  out.fqdn = host_name(text_at(&document, {"networking", "fqdn"}));
  out.version = text_at(&document, {"os", "release", "full"});
  out.ipv4_address = address(text_at(&document, {"public_ip"}), AF_INET);
  out.ipv6_address = address(text_at(&document, {"public_ip"}), AF_INET6);
}

bool is_cluster(const Value& document) {
  const auto installation = text_at(&document, {"installation"});
  return installation ? *installation == "nethserver" : document.at({"facts", "nodes"}) != nullptr;
}

// ---------------------------------------------------------------- applications

std::string joined_set(std::vector<std::string> items) {
  std::sort(items.begin(), items.end());
  return fmt::format("[{}]", fmt::join(items, ","));
}

// What the cluster knows about a user domain; nullptr: nothing.
const Value* known_domain(const Value& name, const Value* domains) {
  if (!name.is_string() || domains == nullptr) return nullptr;
  for (const Value& domain : domains->elements) {
    const Value* its_name = domain.find("name");
    if (its_name != nullptr && json::equal(*its_name, name)) return &domain;
  }
  return nullptr;
}

// That, else just its name.
std::string domain_text(const Value& name, const Value* domains) {
  if (!name.is_string()) return json::to_text(name);
  if (const Value* known = known_domain(name, domains)) return json::to_text(*known);
  return "{\"name\":" + json::quote(name.text) + "}";
}

// The module as JSON, with its user domains spelled out. Senders list domains and names as sets, in random
// order: sorted here, so that order is no change.
std::string enriched(const Value& module, const Value* domains) {
  std::string out = "{";
  for (const json::Member& member : module.members) {
    if (out.size() > 1) out += ',';
    json::append_quoted(out, member.key);
    out += ':';
    const bool is_domains = member.key == "user_domains";
    if (!member.value.is_array() || (!is_domains && member.key != "fqdns")) {
      json::append_text(out, member.value);
      continue;
    }
    std::vector<std::string> items;
    for (const Value& item : member.value.elements) {
      items.push_back(is_domains ? domain_text(item, domains) : json::to_text(item));
    }
    out += joined_set(std::move(items));
  }
  return out + "}";
}

// The pattern with its placeholders filled in; nullopt when one has no value.
template <class ValueOf>
std::optional<std::string> filled(std::string_view pattern, ValueOf value_of) {
  std::string out;
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t open = pattern.find('{', at);
    const std::size_t close = open == std::string_view::npos ? open : pattern.find('}', open);
    if (close == std::string_view::npos) return out + std::string(pattern.substr(at));
    out += pattern.substr(at, open - at);
    const std::optional<std::string> value = value_of(pattern.substr(open + 1, close - open - 1));
    if (!value) return std::nullopt;
    out += *value;
    at = close + 1;
  }
  return out;
}

std::optional<std::string> first_name(const Value& module) {
  const Value* names = module.find("fqdns");
  if (names == nullptr || !names->is_array()) return std::nullopt;
  std::optional<std::string> first;  // the smallest: senders list a set
  for (const Value& name : names->elements) {
    if (name.is_string() && (!first || name.text < *first)) first = std::string(name.text);
  }
  return first;
}

// What the modules of one document share.
struct Cluster {
  const Value* nodes = nullptr;
  const Value* domains = nullptr;
  std::optional<std::string> leader_fqdn;
};

Cluster cluster_of(const Value& facts) {
  Cluster cluster{facts.find("nodes"), facts.at({"cluster", "user_domains"}), std::nullopt};
  if (cluster.nodes != nullptr) {
    cluster.leader_fqdn = host_name(text_at(leader_node(*cluster.nodes), {"fqdn"}));
  }
  return cluster;
}

const Value* node_of(const Value& module, const Cluster& cluster) {
  const auto node = text_at(&module, {"node"});
  return node && cluster.nodes != nullptr ? cluster.nodes->find(*node) : nullptr;
}

std::string instance_of(const Value& module, const std::string& module_id) {
  return text_at(&module, {"module"}).value_or(module_id);
}

Application read_application(const ApplicationOutline& outline, const Cluster& cluster,
                             const ApplicationRules& rules) {
  const Value& module = *outline.module;
  Application out;
  out.module_id = outline.module_id;
  out.instance_of = instance_of(module, out.module_id);
  out.name = text_at(&module, {"name"}).value_or(out.instance_of);
  out.source = text_at(&module, {"source"}).value_or("");
  out.display_name = text_at(&module, {"ui_name"});
  out.version = text_at(&module, {"version"}).value_or("");
  out.is_user_facing = !rules.system_modules.contains(out.instance_of);
  out.inventory_data = enriched(module, cluster.domains);

  if (const auto node = text_at(&module, {"node"})) {
    if (const auto id = json::to_int64(*node); id && *id >= 0 && *id <= INT32_MAX)
      out.node_id = static_cast<int>(*id);
  }
  const Value* its_node = node_of(module, cluster);
  out.node_label = text_at(its_node, {"ui_name"});
  out.url = filled(rules.url_pattern, [&](std::string_view name) -> std::optional<std::string> {
    if (name == "module_id") return out.module_id;
    if (name == "instance_of") return out.instance_of;
    if (name == "leader_fqdn") return cluster.leader_fqdn;
    if (name == "node_fqdn") return host_name(text_at(its_node, {"fqdn"}));
    if (name == "fqdn") return first_name(module);
    return std::nullopt;
  });
  return out;
}

// ---------------------------------------------------------------- fingerprints

// Spelling an application out only to find that it is as it was would cost more than all the rest of this
// file. 64 bits: one change in 10^19 would be missed until the next.
std::uint64_t mixed(std::uint64_t hash, std::uint64_t more) {
  hash = (hash ^ more) * 0xff51afd7ed558ccdULL;
  return hash ^ (hash >> 32U);
}

std::uint64_t hash_of(std::string_view text) {
  return std::hash<std::string_view>{}(text);
}

std::uint64_t hash_of(const Value& value) {
  std::uint64_t hash = mixed(static_cast<std::uint64_t>(value.type) + 1, value.boolean ? 2 : 1);
  // How a container is written means nothing: white space, the order of keys.
  if (!value.is_container()) return mixed(hash, hash_of(value.text));
  for (const Value& element : value.elements) hash = mixed(hash, hash_of(element));
  for (const json::Member& member : value.members) {
    hash = mixed(mixed(hash, hash_of(member.key)), hash_of(member.value));
  }
  return hash;
}

// What enriched() makes of it: without the order of domains and names, with what the cluster knows about
// domains.
std::uint64_t hash_of_module(const Value& module, const Value* domains) {
  std::uint64_t hash = 1;
  for (const json::Member& member : module.members) {
    const bool is_domains = member.key == "user_domains";
    std::uint64_t value = 0;
    if (member.value.is_array() && (is_domains || member.key == "fqdns")) {
      for (const Value& item : member.value.elements) {
        const Value* known = is_domains ? known_domain(item, domains) : nullptr;
        value += mixed(3, hash_of(known != nullptr ? *known : item));
      }
    } else {
      value = hash_of(member.value);
    }
    hash = mixed(mixed(hash, hash_of(member.key)), value);
  }
  return hash;
}

// What of a node gets into its applications.
std::uint64_t hash_of_node(const Value* node) {
  std::uint64_t hash = 1;
  for (const std::string_view key : {"ui_name", "fqdn"}) {
    const Value* value = node == nullptr ? nullptr : node->find(key);
    hash = mixed(hash, value == nullptr ? 0 : hash_of(*value));
  }
  return hash;
}

std::optional<std::vector<ApplicationOutline>> outline_applications(const Value& facts,
                                                                    const ApplicationRules& rules) {
  const Value* modules = facts.find("modules");
  // An empty list is a collector that failed: a cluster always runs its core modules.
  if (modules == nullptr || !modules->is_array() || modules->elements.empty()) return std::nullopt;
  const Cluster cluster = cluster_of(facts);
  const std::uint64_t of_all = mixed(hash_of(cluster.leader_fqdn.value_or("")), hash_of(rules.url_pattern));
  std::map<std::string, ApplicationOutline> by_id;
  for (const Value& module : modules->elements) {
    auto module_id = text_at(&module, {"id"});
    if (!module_id) continue;
    std::uint64_t hash = mixed(of_all, hash_of_module(module, cluster.domains));
    hash = mixed(hash, hash_of_node(node_of(module, cluster)));
    hash = mixed(hash, rules.system_modules.contains(instance_of(module, *module_id)) ? 1 : 0);
    by_id.insert_or_assign(*module_id, ApplicationOutline{*module_id, hash, &module});
  }
  std::vector<ApplicationOutline> out;
  out.reserve(by_id.size());
  for (auto& [id, outline] : by_id) out.push_back(std::move(outline));
  return out;
}

void add_fingerprint(Derived& derived) {
  json::Writer writer;
  const SystemFacts& f = derived.facts;
  writer.begin_array();
  for (const auto& fact : {f.name, f.fqdn, f.version, f.type, f.ipv4_address, f.ipv6_address})
    writer.value(fact);
  if (derived.applications) {
    for (const ApplicationOutline& a : *derived.applications) writer.value(a.module_id).value(a.fingerprint);
  }
  writer.end_array();
  derived.fingerprint = to_hex(sha256(writer.text()));
}

}  // namespace

Application Derived::spell_out(const ApplicationOutline& outline) const {
  return read_application(outline, cluster_of(*facts_value), *rules);
}

Derived derive(const json::Value& document, const ApplicationRules& rules) {
  Derived out;
  const Value* facts = document.find("facts");
  if (facts != nullptr && is_cluster(document)) {
    read_cluster(*facts, out.facts);
    out.facts_value = facts;
    out.rules = &rules;
    out.applications = outline_applications(*facts, rules);
  } else if (facts != nullptr) {
    read_firewall(*facts, out.facts);
  } else {
    read_flat(document, out.facts);
  }
  if (!out.facts.name) out.facts.name = out.facts.fqdn;
  add_fingerprint(out);
  return out;
}

}  // namespace collect::inventory
