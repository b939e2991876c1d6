// SPDX-License-Identifier: Apache-2.0
#include "alertmanager/enrichment.h"

#include <algorithm>

#include "base/log.h"
#include "net/http.h"
#include "templates/template.h"

namespace collect::alertmanager {
namespace {

constexpr std::size_t kToldEach = 5;

Result<std::string> rendered(std::string_view text, const Labels& labels, const templates::Limits& limits) {
  const auto parsed = templates::Template::parse(text);
  if (!parsed) return parsed.failure();
  return parsed->render(labels, limits);
}

}  // namespace

Labels scoped_labels(Labels labels, const systems::System& system) {
  for (const std::string_view ours : systems::kSystemLabels) {
    if (const auto found = labels.find(ours); found != labels.end()) labels.erase(found);
  }
  labels.merge(systems::labels_of(system));
  std::erase_if(labels, [](const auto& label) { return label.second.empty(); });
  return labels;
}

bool is_template(std::string_view text) {
  return text.find("{{") != std::string_view::npos;
}

AnnotationRenderer::AnnotationRenderer(std::size_t templates, std::string system_key)
    : system_key_(std::move(system_key)),
      steps_each_(std::min(templates::Limits{}.steps, kSteps / std::max<std::size_t>(templates, 1))) {}

AnnotationRenderer::~AnnotationRenderer() {
  if (failed_ > kToldEach) {
    log::warn("annotations_not_rendered", {{"system_key", system_key_}, {"count", failed_ - kToldEach}});
  }
}

std::string AnnotationRenderer::render(std::string_view annotation, const std::string& text,
                                       const Labels& labels) {
  if (!is_template(text)) return text;
  templates::Limits limits;
  limits.steps = steps_each_;
  limits.output_bytes = std::min(limits.output_bytes, output_left_);
  auto result = rendered(text, labels, limits);
  if (result) {
    output_left_ -= std::min(output_left_, result->size());
    return *std::move(result);
  }
  if (++failed_ <= kToldEach) {
    log::warn("annotation_not_rendered", {{"system_key", system_key_},
                                          {"annotation", net::shown(annotation)},
                                          {"reason", result.failure().message}});
  }
  return text;
}

}  // namespace collect::alertmanager
