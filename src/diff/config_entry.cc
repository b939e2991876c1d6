// SPDX-License-Identifier: Apache-2.0
#include "diff/config_entry.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>

#include <cmath>
#include <optional>
#include <sstream>

namespace collect::diff {

ConfigEntry::ConfigEntry(const YAML::Node& node, std::string key, std::string_view origin)
    : node_(node), key_(std::move(key)), origin_(origin) {}

namespace {

// Where the last document of a text begins; all else that is in them is not looked at.
class LastDocument final : public YAML::EventHandler {
 public:
  int line = 0;

  void OnDocumentStart(const YAML::Mark& mark) override { line = mark.line + 1; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
  }
  void OnMapEnd() override {}
};

// Its line; YAML::Load() would leave it out without a word. YAML::LoadAll() reads some broken texts for ever.
std::optional<int> second_document(const std::string& text) {
  std::istringstream in(text);
  YAML::Parser parser(in);
  LastDocument last;
  return parser.HandleNextDocument(last) && parser.HandleNextDocument(last) ? std::optional(last.line)
                                                                            : std::nullopt;
}

}  // namespace

ConfigEntry ConfigEntry::parse(std::string_view yaml, std::string_view origin) {
  try {
    const std::string text(yaml);
    if (const auto line = second_document(text))
      throw BadConfig(
          fmt::format("{}:{}: expected one YAML document, got another behind '---'", origin, *line));
    return {YAML::Load(text), "", origin};
  } catch (const YAML::Exception& error) {
    throw BadConfig(fmt::format("{}:{}: expected YAML: {}", origin, error.mark.line + 1, error.msg));
  }
}

void ConfigEntry::refuse(const std::string& what) const {
  const int line = node_.Mark().line;
  throw BadConfig(fmt::format("{}{}: {}{}", origin_, line >= 0 ? fmt::format(":{}", line + 1) : "",
                              key_.empty() ? "" : key_ + ": ", what));
}

void ConfigEntry::expected(std::string_view what) const {
  refuse(fmt::format("expected {}, got {}", what, got()));
}

std::string ConfigEntry::got() const {
  if (node_.IsScalar()) return fmt::format("'{}'", node_.Scalar());
  return node_.IsSequence() ? "a list" : node_.IsMap() ? "a mapping" : "nothing";
}

std::vector<std::pair<std::string, ConfigEntry>> ConfigEntry::members(
    const std::set<std::string>& known) const {
  if (!node_.IsMap()) expected("a mapping ({} for none)");
  std::vector<std::pair<std::string, ConfigEntry>> list;
  std::set<std::string> seen;
  for (const auto& pair : node_) {
    const ConfigEntry name_entry(pair.first, key_, origin_);
    const auto name = name_entry.text();
    if (!known.empty() && known.count(name) == 0) {
      name_entry.refuse(fmt::format("unknown key '{}', expected one of: {}", name, fmt::join(known, ", ")));
    }
    if (!seen.insert(name).second) name_entry.refuse(fmt::format("key '{}' stands here twice", name));
    list.emplace_back(name, ConfigEntry(pair.second, key_.empty() ? name : key_ + "." + name, origin_));
  }
  return list;
}

std::vector<ConfigEntry> ConfigEntry::items() const {
  if (!node_.IsSequence()) expected("a list ([] for none)");
  std::vector<ConfigEntry> list;
  for (const auto& item : node_) list.emplace_back(item, fmt::format("{}[{}]", key_, list.size()), origin_);
  return list;
}

std::vector<ConfigEntry> ConfigEntry::one_or_more() const {
  return node_.IsScalar() ? std::vector<ConfigEntry>{*this} : items();
}

std::string ConfigEntry::text() const {
  if (!node_.IsScalar() || node_.Scalar().empty()) expected("a text");
  return node_.Scalar();
}

std::size_t ConfigEntry::count(std::size_t least, std::size_t most) const {
  std::size_t value = 0;
  // yaml-cpp reads "-1" as a huge unsigned number.
  const bool number = node_.IsScalar() && !node_.Scalar().starts_with('-') &&
                      YAML::convert<std::size_t>::decode(node_, value);
  if (!number || value < least || value > most)
    expected(fmt::format("a whole number from {} to {}", least, most));
  return value;
}

double ConfigEntry::percent() const {
  double value = 0;
  const bool number = node_.IsScalar() && YAML::convert<double>::decode(node_, value);
  if (!number || !std::isfinite(value) || value < 0) expected("a number of percent, 0 or more");
  return value;
}

bool ConfigEntry::flag() const {
  bool value = false;
  if (!node_.IsScalar() || !YAML::convert<bool>::decode(node_, value)) expected("true or false");
  return value;
}

}  // namespace collect::diff
