// SPDX-License-Identifier: Apache-2.0
#include "liveness/link_failure_store.h"

#include "base/json.h"

namespace collect::liveness {

std::string labels_to_json(const systems::Labels& labels) {
  json::Writer writer;
  writer.begin_object();
  for (const auto& [name, value] : labels) writer.member(name, value);
  writer.end_object();
  return std::move(writer).text();
}

systems::Labels labels_from_json(std::string_view text) {
  systems::Labels labels;
  const auto document = json::Document::parse(text);
  if (!document) return labels;
  for (const auto& [name, value] : document->root().members) labels.emplace(name, value.text);
  return labels;
}

}  // namespace collect::liveness
