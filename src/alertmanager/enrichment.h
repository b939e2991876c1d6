// SPDX-License-Identifier: Apache-2.0
// What every alert is given on its way to an Alertmanager: the labels that say whose it is, and annotations
// that are written out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "systems/labels.h"
#include "systems/system.h"

namespace collect::alertmanager {

using systems::Labels;

// `labels` with those that only Collect sets (systems::kSystemLabels) as they are known of `system`, and
// without them where they are not known, whatever stood there. Labels without a value, which mean the same as
// none, are left out.
Labels scoped_labels(Labels labels, const systems::System& system);

// Whether an annotation's text is a template: it contains "{{".
bool is_template(std::string_view text);

// Writes out annotations in the template language (templates/template.h) over an alert's labels. Templates
// come from whoever may post alerts, so one renderer, made for one request, spends a bounded amount of work
// and text on all of them. For one thread.
class AnnotationRenderer {
 public:
  static constexpr std::size_t kSteps = 2'000'000;         // of all templates together, shared out evenly
  static constexpr std::size_t kOutputBytes = 4UL << 20U;  // likewise, first come, first served

  // `templates`: how many will be rendered at most. `system_key` names the sender in the log.
  AnnotationRenderer(std::size_t templates, std::string system_key);
  ~AnnotationRenderer();
  AnnotationRenderer(const AnnotationRenderer&) = delete;
  AnnotationRenderer& operator=(const AnnotationRenderer&) = delete;

  // What is no template comes back as it is. So does one that cannot be read or rendered: the log says which
  // annotation and why (event annotation_not_rendered), of the first ones each, of others how many.
  std::string render(std::string_view annotation, const std::string& text, const Labels& labels);

  [[nodiscard]] std::size_t failed() const { return failed_; }

 private:
  const std::string system_key_;
  const std::size_t steps_each_;
  std::size_t output_left_ = kOutputBytes;
  std::size_t failed_ = 0;
};

}  // namespace collect::alertmanager
