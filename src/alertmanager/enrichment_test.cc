// SPDX-License-Identifier: Apache-2.0
#include "alertmanager/enrichment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace collect::alertmanager {
namespace {

using testing::ElementsAre;
using testing::Pair;

systems::System known_system() {
  systems::System system;
  system.id = SystemId("id-a");
  system.system_key = "NETH-A";
  system.name = "a";
  system.fqdn = "a.example.org";
  system.organization_id = OrganizationId("org-1");
  system.organization.name = "Acme";
  return system;
}

TEST(ScopedLabels, TheSystemsLabelsAreItsOwn) {
  const auto labels = scoped_labels({{"alertname", "DiskFull"},
                                     {"system_key", "NETH-B"},
                                     {"organization_id", "org-2"},
                                     {"organization_vat", "IT1"},
                                     {"system_ipv4", "192.0.2.9"}},
                                    known_system());
  EXPECT_THAT(labels, ElementsAre(Pair("alertname", "DiskFull"), Pair("organization_id", "org-1"),
                                  Pair("organization_name", "Acme"), Pair("organization_type", "customer"),
                                  Pair("system_fqdn", "a.example.org"), Pair("system_id", "id-a"),
                                  Pair("system_key", "NETH-A"), Pair("system_name", "a")));
}

TEST(ScopedLabels, EmptyOnesAreNone) {
  EXPECT_FALSE(scoped_labels({{"alertname", "X"}, {"node", ""}}, known_system()).contains("node"));
}

class AnnotationRendererTest : public testing::Test {
 protected:
  AnnotationRenderer renderer{1, "NETH-A"};
  const Labels labels = {{"severity", "critical"}, {"alertname", "DiskFull"}, {"system_key", "SYS-001"}};
};

TEST_F(AnnotationRendererTest, WritesTheLabelsIntoTheText) {
  EXPECT_EQ(renderer.render("summary", "Alert {{.alertname}} has severity {{.severity}}", labels),
            "Alert DiskFull has severity critical");
  EXPECT_EQ(renderer.render("summary", "{{.node}}", labels), "<no value>");
  EXPECT_EQ(renderer.failed(), 0U);
}

TEST_F(AnnotationRendererTest, WhatIsNoTemplateStaysAsItIs) {
  EXPECT_EQ(renderer.render("summary", "100 % {full} }}", labels), "100 % {full} }}");
}

TEST_F(AnnotationRendererTest, WhatCannotBeRenderedStaysAsItIs) {
  for (const std::string text : {"{{.alertname", "{{if}}", "{{index .severity 99}}", "{{nonsense}}"}) {
    EXPECT_EQ(renderer.render("summary", text, labels), text);
  }
  EXPECT_EQ(renderer.failed(), 4U);
}

TEST_F(AnnotationRendererTest, RenderedTextIsNotRenderedAgain) {
  EXPECT_EQ(renderer.render("summary", "{{.x}}", {{"x", "{{.severity}}"}}), "{{.severity}}");
}

TEST_F(AnnotationRendererTest, ManyTemplatesShareOneBudget) {
  std::string long_work = "x";
  for (int i = 0; i < 12; ++i) long_work = "{{range $}}" + long_work + "{{end}}";
  AnnotationRenderer many(5000, "NETH-A");
  for (int i = 0; i < 5000; ++i) EXPECT_EQ(many.render("summary", long_work, labels), long_work);
  EXPECT_EQ(many.render("summary", "{{.severity}}", labels), "critical");
}

TEST_F(AnnotationRendererTest, TheTextOfAllTogetherIsBounded) {
  const std::string long_text = R"({{printf "%60000s" "x"}})";
  std::size_t bytes = 0;
  for (int i = 0; i < 200; ++i) bytes += renderer.render("summary", long_text, labels).size();
  EXPECT_LE(bytes, AnnotationRenderer::kOutputBytes + 200 * long_text.size());
  EXPECT_GT(renderer.failed(), 100U);
}

}  // namespace
}  // namespace collect::alertmanager
