// SPDX-License-Identifier: Apache-2.0
// `collect migrate` on nothing, on its own work, and on a database that others made and filled.
#include <gmock/gmock.h>

#include "journey/appliance.h"

namespace collect::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kSystem = "0c5f7a52-3a51-4d4e-8f0b-6f1f4a1d9b11";
constexpr std::string_view kKey = "NETH-0123-4567-89AB-CDEF-0123-4567-89AB-CDEF";
constexpr std::string_view kSecretPart = "0123456789abcdefghijklmnopqrstuvwxyzABCD";

// The tables as an older installation has them: text and uuid ids, the unique index that forbids a return to
// an earlier state, a column and a table that Collect does not know.
constexpr std::string_view kTables = R"(
CREATE TABLE customers (id uuid PRIMARY KEY, logto_id varchar(255) UNIQUE, name varchar(255) NOT NULL, custom_data jsonb,
  created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz,
  suspended_at timestamptz);
CREATE TABLE systems (id varchar(255) PRIMARY KEY, name varchar(255), type varchar(100), fqdn varchar(255),
  ipv4_address inet, ipv6_address inet, version varchar(100), status varchar(50) NOT NULL DEFAULT 'unknown',
  organization_id varchar(255) NOT NULL, system_key varchar(255) UNIQUE NOT NULL, system_secret_public varchar(64),
  system_secret_sha256 varchar(128), custom_data jsonb, notes text, created_by jsonb, favourite_colour text,
  created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), registered_at timestamptz,
  suspended_at timestamptz, suspended_by_org_id varchar(255), deleted_at timestamptz, deleted_by_org_id varchar(255));
CREATE TABLE inventory_records (id bigserial PRIMARY KEY, system_id varchar(255) NOT NULL REFERENCES systems (id),
  timestamp timestamptz NOT NULL, data jsonb NOT NULL, data_hash varchar(64) NOT NULL, data_size bigint NOT NULL,
  processed_at timestamptz, has_changes boolean NOT NULL DEFAULT false, change_count integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE UNIQUE INDEX idx_inventory_records_system_id_data_hash ON inventory_records (system_id, data_hash);
CREATE TABLE inventory_diffs (id bigserial PRIMARY KEY, system_id varchar(255) NOT NULL REFERENCES systems (id),
  previous_id bigint REFERENCES inventory_records (id) ON DELETE SET NULL,
  current_id bigint REFERENCES inventory_records (id) ON DELETE SET NULL, diff_type varchar(20) NOT NULL,
  category varchar(100), severity varchar(20) NOT NULL, field_path varchar(500) NOT NULL, previous_value jsonb,
  current_value jsonb, notification_sent boolean NOT NULL DEFAULT false, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE private_notes (id serial PRIMARY KEY, text text);
)";

// Two records and the diff between them, an organization, and a system whose secret is hashed by the
// database.
std::string rows() {
  const std::string salt = "00112233445566778899aabbccddeeff";
  const std::string stored = "'" + salt + ":' || encode(sha256(decode('" + salt + "', 'hex') || '" +
                             std::string(kSecretPart) + "'::bytea), 'hex')";
  const auto record = [&](const std::string& label, const std::string& time) {
    const std::string data = labelled_inventory(label);
    return "INSERT INTO inventory_records (system_id, timestamp, data, data_hash, data_size, processed_at, "
           "created_at) VALUES ('" +
           std::string(kSystem) + "', '" + time + "', '" + data + "', encode(sha256('" + data +
           "'::bytea), 'hex'), " + std::to_string(data.size()) + ", '" + time + "', '" + time + "');\n";
  };
  return "INSERT INTO customers (id, logto_id, name) VALUES "
         "('9d2c3a10-1111-4222-8333-444455556666', 'org-of-others', 'Others & Sons');\n"
         "INSERT INTO systems (id, name, organization_id, system_key, system_secret_public, "
         "system_secret_sha256, "
         "favourite_colour, registered_at) VALUES ('" +
         std::string(kSystem) + "', 'By others', 'org-of-others', '" + std::string(kKey) +
         "', 'publicpart', " + stored + ", 'green', now());\n" + record("a", "2026-01-01T00:00:00Z") +
         record("b", "2026-01-02T00:00:00Z") +
         "INSERT INTO inventory_diffs (system_id, previous_id, current_id, diff_type, category, severity, "
         "field_path, "
         "previous_value, current_value, notification_sent) SELECT '" +
         std::string(kSystem) +
         "', min(id), max(id), 'update', 'system', 'low', 'facts.label', '\"a\"', '\"b\"', true FROM "
         "inventory_records;\nINSERT INTO private_notes (text) VALUES ('keep me');\n";
}

class Migrate : public testing::Test {
 protected:
  Service service_{EngineKind::servers};
};

TEST_F(Migrate, AnEmptyDatabaseOnceAndAgain) {
  EXPECT_THAT(service_.cli({"org", "list"}).err, HasSubstr("migrate"));
  EXPECT_THAT(service_.cli_output({"migrate"}), HasSubstr("applied"));
  EXPECT_THAT(service_.cli_output({"migrate"}), Not(HasSubstr("applied")));
  for (const char* table :
       {"systems", "distributors", "resellers", "customers", "applications", "inventory_records",
        "inventory_diffs", "system_heartbeats", "inventory_alerts", "alert_history"}) {
    EXPECT_EQ(service_.sql("SELECT count(*) FROM " + std::string(table)), "0\n") << table;
  }
  service_.start();
  Appliance box(service_, service_.new_system());
  box.report(labelled_inventory("a"));
}

TEST_F(Migrate, ManyAtOnceDoNotGetInEachOthersWay) {
  std::vector<std::unique_ptr<Process>> all;
  for (int i = 0; i < 4; ++i) all.push_back(service_.launch({"migrate"}));
  for (const auto& one : all) EXPECT_EQ(one->wait_exit(std::chrono::seconds(60)), 0) << one->err();
}

TEST_F(Migrate, ADatabaseThatOthersMade) {
  service_.sql(std::string(kTables) + rows());
  service_.cli_output({"migrate"});
  service_.cli_output({"migrate"});
  EXPECT_EQ(service_.sql("SELECT text FROM private_notes"), "keep me\n");
  EXPECT_EQ(service_.sql("SELECT favourite_colour FROM systems"), "green\n");

  service_.start();
  Appliance box(service_,
                {std::string(kSystem), std::string(kKey), "my_publicpart." + std::string(kSecretPart)});
  const auto info = box.http().get("/api/systems/info");
  ASSERT_EQ(info.status, 200) << info.body;
  EXPECT_THAT(info.body, HasSubstr("Others & Sons"));

  // "a" and "b" have been there before.
  const std::string same = box.report(labelled_inventory("b"));
  EXPECT_EQ(box.receipt(same).status, "unchanged");
  for (const char* label : {"a", "b", "a"}) box.report(labelled_inventory(label));
  std::vector<std::string> changes;
  for (const DiffRow& diff : service_.diffs(box.login())) changes.push_back(diff.from + diff.to);
  EXPECT_THAT(changes, ElementsAre(R"("a""b")", R"("b""a")", R"("a""b")", R"("b""a")"));
  EXPECT_EQ(service_.history(box.login()).size(), 5U);
}

TEST_F(Migrate, ServeMigratesByItself) {
  service_.sql(std::string(kTables) + rows());
  service_.start();
  Appliance box(service_,
                {std::string(kSystem), std::string(kKey), "my_publicpart." + std::string(kSecretPart)});
  box.report(labelled_inventory("c"));
  EXPECT_EQ(service_.diffs(box.login()).size(), 2U);
}

class MigrateDocuments : public OnEachEngine {};
COLLECT_ON_EACH_ENGINE(MigrateDocuments);

TEST_P(MigrateDocuments, ToTheOtherFormAndBackWithoutLosingAnything) {
  Service service(GetParam(), {{"INVENTORY_STORE", "jsonb"}});
  if (GetParam() == EngineKind::servers) service.cli_output({"migrate"});
  service.start();
  Appliance box(service, service.new_system());
  const auto report = [](const char* label) { return labelled_inventory(label, 20'000); };
  for (const char* label : {"a", "b", "c"}) box.report(report(label));
  const auto before = service.history(box.login());

  for (const auto& [form, label] : {std::pair("compact", "d"), std::pair("jsonb", "e")}) {
    service.stop();
    service.settings()["INVENTORY_STORE"] = form;
    EXPECT_THAT(service.cli_output({"migrate"}), HasSubstr("converted"));
    EXPECT_THAT(service.cli_output({"migrate"}), Not(HasSubstr("converted")));
    service.start();
    box.report(report(label));  // compared with one that was converted
  }
  const auto after = service.history(box.login());
  ASSERT_EQ(after.size(), 5U);
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(after[i].id, before[i].id);
    EXPECT_EQ(after[i].timestamp, before[i].timestamp);
    EXPECT_EQ(after[i].hash, before[i].hash);
  }
  std::vector<std::string> changes;
  for (const DiffRow& diff : service.diffs(box.login())) changes.push_back(diff.from + diff.to);
  EXPECT_THAT(changes, ElementsAre(R"("a""b")", R"("b""c")", R"("c""d")", R"("d""e")"));
}

}  // namespace
}  // namespace collect::test
