// SPDX-License-Identifier: Apache-2.0
#include "alertmanager/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <variant>
#include <vector>

#include "alertmanager/exact_json.h"
#include "alertmanager/fields.h"
#include "base/json.h"

namespace collect::alertmanager {
namespace {

Result<json::Document> parse_answer(std::string_view answer) {
  auto parsed = parse_exact(answer);
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) return invalid(refusal->message);
  return std::get<json::Document>(std::move(parsed));
}

Result<void> check_list(const json::Value& root) {
  if (root.is_array()) return {};
  return invalid(fmt::format("expected a list, got {}", json::to_string(root.type)));
}

Result<void> write_texts(json::Writer& w, const Field& field) {
  if (field.missing() || !field.value()->is_object()) return field.expected("an object");
  w.begin_object();
  for (const auto& [name, value] : field.value()->members) {
    if (!value.is_string()) return field.expected("an object of strings");
    w.member(name, value.text);
  }
  w.end_object();
  return {};
}

bool is_reference(std::string_view text) {
  return text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
         });
}

using Fingerprints = std::set<std::string_view>;

// Ids of silences, or fingerprints of alerts: of those, only the ones in `shown`.
Result<void> write_references(json::Writer& w, const Field& field, const Fingerprints* shown) {
  w.begin_array();
  if (!field.missing()) {
    if (!field.value()->is_array()) return field.expected("a list");
    for (const json::Value& element : field.value()->elements) {
      if (!element.is_string() || !is_reference(element.text)) return field.expected("a list of ids");
      if (shown == nullptr || shown->contains(element.text)) w.value(element.text);
    }
  }
  w.end_array();
  return {};
}

Result<void> write_status(json::Writer& w, const Field& status, const Fingerprints& shown) {
  if (status.missing()) return status.expected("an object");
  auto state = Field(*status.value(), status.where(), "state").text();
  if (!state) return state.failure();
  if (*state != "unprocessed" && *state != "active" && *state != "suppressed")
    return invalid(status.where() + ".state: expected unprocessed, active or suppressed, got another text");
  w.begin_object().member("state", *state);
  w.key("silencedBy");
  if (auto written = write_references(w, Field(*status.value(), status.where(), "silencedBy"), nullptr);
      !written)
    return written;
  w.key("inhibitedBy");
  if (auto written = write_references(w, Field(*status.value(), status.where(), "inhibitedBy"), &shown);
      !written)
    return written;
  w.end_object();
  return {};
}

Result<void> write_receivers(json::Writer& w, const Field& receivers) {
  w.begin_array();
  if (!receivers.missing()) {
    if (!receivers.value()->is_array()) return receivers.expected("a list");
    for (const json::Value& element : receivers.value()->elements) {
      auto name = Field(element, receivers.where(), "name").text();
      if (!name) return name.failure();
      w.begin_object().member("name", *name).end_object();
    }
  }
  w.end_array();
  return {};
}

Result<void> write_alert(json::Writer& w, const json::Value& row, const std::string& where,
                         const Fingerprints& shown) {
  w.begin_object().key("labels");
  if (auto written = write_texts(w, Field(row, where, "labels")); !written) return written;
  if (const Field annotations(row, where, "annotations"); !annotations.missing()) {
    w.key("annotations");
    if (auto written = write_texts(w, annotations); !written) return written;
  }
  for (const std::string_view key : {"startsAt", "endsAt", "updatedAt"}) {
    const auto time = Field(row, where, key).time_if_any();
    if (!time) return time.failure();
    if (*time) w.member(key, time_text(**time));
  }
  for (const std::string_view key : {"generatorURL", "fingerprint"}) {
    const auto text = Field(row, where, key).text_if_any();
    if (!text) return text.failure();
    if (*text) w.member(key, **text);
  }
  if (const Field status(row, where, "status"); !status.missing()) {
    w.key("status");
    if (auto written = write_status(w, status, shown); !written) return written;
  }
  if (const Field receivers(row, where, "receivers"); !receivers.missing()) {
    w.key("receivers");
    if (auto written = write_receivers(w, receivers); !written) return written;
  }
  w.end_object();
  return {};
}

std::string place(std::size_t index) {
  return fmt::format("alerts[{}]", index);
}

}  // namespace

Result<OwnRows> own_alerts(std::string_view answer, std::string_view system_key) {
  const auto document = parse_answer(answer);
  if (!document) return document.failure();
  const json::Value& root = document->root();
  if (auto list = check_list(root); !list) return list.failure();
  OwnRows own;
  std::vector<std::size_t> ours;
  Fingerprints fingerprints;
  for (std::size_t i = 0; i < root.elements.size(); ++i) {
    const Field labels(root.elements[i], place(i), "labels");
    if (labels.missing() || !labels.value()->is_object()) return labels.expected("an object");
    const json::Value* key = labels.value()->find("system_key");
    if (key == nullptr || !key->is_string() || key->text != system_key) {
      ++own.hidden;
      continue;
    }
    ours.push_back(i);
    const json::Value* fingerprint = root.elements[i].find("fingerprint");
    if (fingerprint != nullptr && fingerprint->is_string()) fingerprints.insert(fingerprint->text);
  }
  json::Writer w;
  w.begin_array();
  for (const std::size_t i : ours) {
    if (auto written = write_alert(w, root.elements[i], place(i), fingerprints); !written)
      return written.failure();
  }
  w.end_array();
  own.json = std::move(w).text();
  return own;
}

Result<OwnRows> own_silences(std::string_view answer, std::string_view system_key) {
  const auto document = parse_answer(answer);
  if (!document) return document.failure();
  const json::Value& root = document->root();
  if (auto list = check_list(root); !list) return list.failure();
  OwnRows own;
  json::Writer w;
  w.begin_array();
  for (std::size_t i = 0; i < root.elements.size(); ++i) {
    const auto silence = read_silence(root.elements[i], fmt::format("silences[{}]", i));
    if (!silence) return silence.failure();
    if (belongs_to(*silence, system_key)) {
      write_shown(w, *silence);
    } else {
      ++own.hidden;
    }
  }
  w.end_array();
  own.json = std::move(w).text();
  return own;
}

Result<Silence> the_silence(std::string_view answer, std::string_view id) {
  const auto document = parse_answer(answer);
  if (!document) return document.failure();
  auto silence = read_silence(document->root(), "silence");
  if (silence && silence->id != id)
    return invalid("expected the silence that was asked for, got another one");
  return silence;
}

Result<std::string> posted_silence_id(std::string_view answer) {
  const auto document = parse_answer(answer);
  if (!document) return document.failure();
  const Field field(document->root(), "answer", "silenceID");
  const auto text = field.text();
  if (!text) return text;
  auto id = silence_id(*text);
  if (!id) return invalid(field.where() + ": expected a UUID, got another text");
  return *std::move(id);
}

}  // namespace collect::alertmanager
