// SPDX-License-Identifier: Apache-2.0
#include "alertmanager/posted_alert.h"

#include <fmt/format.h>

#include <algorithm>

#include "alertmanager/fields.h"
#include "net/http.h"

namespace collect::alertmanager {
namespace {

bool is_ours(std::string_view label) {
  return std::find(systems::kSystemLabels.begin(), systems::kSystemLabels.end(), label) !=
         systems::kSystemLabels.end();
}

Failure bad_name(const Field& field, std::string_view name) {
  return invalid(
      fmt::format("{}: expected names of letters, digits and '_' that begin with no digit, got \"{}\"",
                  field.where(), net::shown(name)));
}

Result<Labels> read_labels(const Field& field) {
  if (field.missing() || !field.value()->is_object()) return field.expected("an object");
  Labels labels;
  bool of_its_own = false;
  for (const auto& [name, value] : field.value()->members) {
    if (!is_label_name(name)) return bad_name(field, name);
    if (!value.is_string()) {
      return invalid(
          fmt::format("{}.{}: expected a string, got {}", field.where(), name, json::to_string(value.type)));
    }
    of_its_own = of_its_own || (!value.text.empty() && !is_ours(name));
    labels.emplace(name, value.text);
  }
  if (!of_its_own)
    return invalid(field.where() + ": expected at least one label of the alert's own, such as alertname");
  return labels;
}

Result<std::map<std::string, Annotation, std::less<>>> read_annotations(const Field& field) {
  std::map<std::string, Annotation, std::less<>> annotations;
  if (field.missing()) return annotations;
  if (!field.value()->is_object()) return field.expected("an object");
  for (const auto& [name, value] : field.value()->members) {
    if (!is_label_name(name)) return bad_name(field, name);
    annotations.emplace(name, value.is_string() ? Annotation{std::string(value.text), true}
                                                : Annotation{json::to_text(value), false});
  }
  return annotations;
}

Result<std::string> read_generator_url(const Field& field) {
  auto text = field.text_if_any();
  if (!text) return text.failure();
  std::string url = std::move(*text).value_or("");
  const bool control = std::any_of(url.begin(), url.end(),
                                   [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; });
  // What Go's url.ParseRequestURI asks for.
  if (control || (!url.empty() && url.find(':') == std::string::npos && url.front() != '/'))
    return invalid(field.where() + ": expected a URL, got another text");
  return url;
}

Result<PostedAlert> read_alert(const json::Value& value, const std::string& where) {
  if (!value.is_object())
    return invalid(fmt::format("{}: expected an object, got {}", where, json::to_string(value.type)));
  PostedAlert alert;
  auto labels = read_labels(Field(value, where, "labels"));
  if (!labels) return labels.failure();
  alert.labels = *std::move(labels);
  auto annotations = read_annotations(Field(value, where, "annotations"));
  if (!annotations) return annotations.failure();
  alert.annotations = *std::move(annotations);
  const auto starts_at = Field(value, where, "startsAt").time_if_any();
  if (!starts_at) return starts_at.failure();
  alert.starts_at = *starts_at;
  const auto ends_at = Field(value, where, "endsAt").time_if_any();
  if (!ends_at) return ends_at.failure();
  alert.ends_at = *ends_at;
  if (alert.starts_at && alert.ends_at && *alert.ends_at != kZeroTime && *alert.ends_at < *alert.starts_at)
    return invalid(where + ": expected startsAt not to be after endsAt");
  auto url = read_generator_url(Field(value, where, "generatorURL"));
  if (!url) return url.failure();
  alert.generator_url = *std::move(url);
  return alert;
}

void write_alert(json::Writer& w, const PostedAlert& alert) {
  w.begin_object().key("labels").begin_object();
  for (const auto& [name, value] : alert.labels) w.member(name, value);
  w.end_object();
  if (!alert.annotations.empty()) {
    w.key("annotations").begin_object();
    for (const auto& [name, annotation] : alert.annotations) {
      w.key(name);
      if (annotation.is_text) {
        w.value(annotation.value);
      } else {
        w.raw(annotation.value);
      }
    }
    w.end_object();
  }
  if (alert.starts_at) w.member("startsAt", time_text(*alert.starts_at));
  if (alert.ends_at) w.member("endsAt", time_text(*alert.ends_at));
  if (!alert.generator_url.empty()) w.member("generatorURL", alert.generator_url);
  w.end_object();
}

}  // namespace

Result<std::vector<PostedAlert>> read_posted_alerts(const json::Value& root) {
  if (!root.is_array())
    return invalid(fmt::format("expected a list of alerts, got {}", json::to_string(root.type)));
  if (root.elements.size() > kMostAlerts)
    return invalid(fmt::format("expected at most {} alerts, got {}", kMostAlerts, root.elements.size()));
  std::vector<PostedAlert> alerts;
  alerts.reserve(root.elements.size());
  for (const json::Value& element : root.elements) {
    auto alert = read_alert(element, fmt::format("alerts[{}]", alerts.size()));
    if (!alert) return alert.failure();
    alerts.push_back(*std::move(alert));
  }
  return alerts;
}

void enrich(std::vector<PostedAlert>& alerts, const systems::System& system) {
  std::size_t templates = 0;
  for (const PostedAlert& alert : alerts) {
    for (const auto& [name, annotation] : alert.annotations)
      templates += annotation.is_text && is_template(annotation.value) ? 1 : 0;
  }
  AnnotationRenderer renderer(templates, system.system_key);
  for (PostedAlert& alert : alerts) {
    alert.labels = scoped_labels(std::move(alert.labels), system);
    for (auto& [name, annotation] : alert.annotations) {
      if (annotation.is_text) annotation.value = renderer.render(name, annotation.value, alert.labels);
    }
  }
}

std::string to_json(const std::vector<PostedAlert>& alerts) {
  json::Writer w;
  w.begin_array();
  for (const PostedAlert& alert : alerts) write_alert(w, alert);
  w.end_array();
  return std::move(w).text();
}

}  // namespace collect::alertmanager
