// SPDX-License-Identifier: Apache-2.0
#include "fleet/modules.h"

#include <fmt/format.h>

namespace collect::fleet {
namespace {

constexpr std::string_view kMailFacts =
    R"("addresses_total_count": @addresses:30-200@, "adduser_domains_count": 1, "addgroup_domains_count": 0, )"
    R"("addresses_wildcard_count": 1, "addresses_domain_count": 11, "addresses_adduser_count": @mailboxes:10-160@, )"
    R"("destinations_public_count": 2, "destinations_user_count": 9, "destinations_group_count": 3, )"
    R"("filter": {"antivirus": {"enabled": true, "clamav_official_sigs": false, "third_party_sigs_rating": "low", )"
    R"("memory_info": {"installed": 7716, "available": @free_memory:900-3900@, "recommended": 4096}}, )"
    R"("antispam": {"enabled": true, "spam_flag_threshold": 6.0, "deny_message_threshold": 15.0, )"
    R"("greylist": {"enabled": false, "threshold": 4.0}}}, "bypass_rules_count": 2, "bypass_from_domain_count": 1, )"
    R"("mailboxes_total_count": @mailboxes@, "mailboxes_custom_spam_retention_count": 0, )"
    R"("mailboxes_custom_quota_count": @quotas:0-6@, "mailboxes_forward_total_count": @forwards:0-9@, )"
    R"("mailboxes_disabled_count": 0, "public_mailboxes_total_count": 1, "domains_total_count": @domains:1-5@, )"
    R"("relay_rules_total_count": 0, "relay_settings_networks_count": 1, "always_bcc_enabled": false, )"
    R"("configuration_user_domain_schema": "ad", "mailbox_settings_spam_folder_enabled": true, )"
    R"("mailbox_settings_spam_retention_value": 30, "master_users_count": 1, "dovecot_custom_config_count": 0)";

constexpr std::string_view kVoiceFacts =
    R"("nethvoice_users_count": @users:6-140@, "nethvoice_trunks_count": 2, "nethvoice_inbound_routes_count": 12, )"
    R"("nethvoice_outbound_routes_count": 3, "nethvoice_ivr_count": 2, "nethvoice_queues_count": @queues:0-8@, )"
    R"("nethvoice_trunks_by_tech": {"pjsip": 2}, "nethvoice_calls_last_24h": @calls_today:300-2500@, )"
    R"("nethvoice_total_calls": @calls:10000-3000000@, "nethvoice_cti_profiles_count": 4, )"
    R"("nethvoice_nethlink_active_count": @links:2-40@, "nethvoice_devices_by_type": {"mobile": 9, "webrtc": 31, )"
    R"("physical": 24, "nethlink": 12}, "nethvoice_physical_devices_by_vendor": {"Yealink": 14, "snom": 10}, )"
    R"("nethvoice_physical_devices_by_model": {"Yealink-T53": 14, "snom-D385": 10}, "nethvoice_hotel_enabled": false, )"
    R"("nethvoice_subscription_enabled": true, "nethvoice_user_domain_type": "ad")";

constexpr std::string_view kDirectoryFacts =
    R"("server_role": "dc", "provision_type": "new-domain", "has_nbalias": false, "has_file_server_flag": true, )"
    R"("shared_folders_count": @shares:1-14@, "audit_enabled_count": 2, "recycle_enabled_count": 3, )"
    R"("browseable_count": 4, "acls_length_max": 4, "acls_length_min": 1)";

constexpr std::string_view kProxyFacts =
    R"("custom_path_routes": @paths:0-2@, "custom_host_routes": @hosts:0-3@, "custom_certificates": 1, )"
    R"("acme_manual_certificates": 1, "acme_auto_certificates": @certificates:1-8@, "acme_failed_certificates": 0, )"
    R"("name_module_map": {@map@})";

constexpr std::string_view kUserFacts = R"("active_users": @active:4-90@, "total_users": @total:95-160@)";

}  // namespace

const std::vector<App>& core_apps() {
  static const std::vector<App> kApps{{"ldapproxy", "ldapproxy", "nethserver", 1, 1, 0, false, ""},
                                      {"traefik", "traefik", "nethserver", 4, 2, 0, false, kProxyFacts}};
  return kApps;
}

const App& account_provider() {
  static const App kSamba{"samba", "Samba", "nethserver", 3, 4, 0, true, kDirectoryFacts};
  return kSamba;
}

const std::vector<App>& user_apps() {
  static const std::vector<App> kApps{
      {"mail", "Mail", "nethserver", 1, 7, 1, true, kMailFacts},
      {"nethvoice", "NethVoice", "nethesis", 1, 6, 2, true, kVoiceFacts},
      {"nextcloud", "Nextcloud", "nethserver", 1, 7, 1, true, kUserFacts},
      {"webtop", "WebTop", "nethserver", 1, 5, 2, true, kUserFacts},
      {"mattermost", "Mattermost", "nethserver", 2, 3, 1, false, kUserFacts},
      {"dokuwiki", "Dokuwiki", "nethserver", 1, 2, 1, true, ""},
      {"ejabberd", "Ejabberd", "nethserver", 1, 1, 1, true, ""},
      {"roundcubemail", "Roundcube Webmail", "nethserver", 1, 3, 1, false, ""},
      {"imapsync", "Imapsync", "nethserver", 1, 2, 0, false,
       R"("tasks_total_count": 3, "tasks_delete_count": 0, "tasks_inbox_count": 1, "tasks_cron_enabled_count": 3)"},
      {"crowdsec", "CrowdSec", "nethserver", 1, 2, 0, false, ""},
  };
  return kApps;
}

Module::Module(const App& app, int number, std::string_view node, std::string_view domain,
               std::vector<std::string> user_domains, Dice& dice)
    : app_(&app),
      id_(fmt::format("{}{}", app.id, number)),
      node_(node),
      patch_(static_cast<int>(dice.between(1, 12))),
      form_(fmt::format(R"({{"id": "@id@", "version": "@version@", "module": "{0}", "name": "{1}", )"
                        R"("source": "ghcr.io/{2}/{0}", "node": "{3}", "certification_level": 5, )"
                        R"("update_available": false, "user_domains": @domains_of_users@, "fqdns": @names@, )"
                        R"({4}{5}"ui_name": ""}})",
                        app.id, app.name, app.publisher, node, app.facts, app.facts.empty() ? "" : ", "),
            dice) {
  for (int i = 0; i < app.names; ++i)
    names_.push_back(fmt::format("{}{}.{}", i == 0 ? "" : "cti-", id_, domain));
  if (app.has_users) user_domains_ = std::move(user_domains);
  form_.set("id", id_).set("version", version());
  form_.set("names", json_list(names_)).set("domains_of_users", json_list(user_domains_));
}

std::string Module::version() const {
  return fmt::format("{}.{}.{}", app_->major, app_->minor, patch_);
}

void Module::update() {
  ++patch_;
  form_.set("version", version());
}

void Module::pass_time(Dice& dice) {
  if (form_.has("free_memory")) form_.drift("free_memory", 300, 100, 7000, dice);
  if (form_.has("calls_today")) {
    form_.drift("calls_today", 200, 0, 5000, dice);
    form_.add("calls", form_.number("calls_today") / 3);
    form_.drift("links", 2, 0, 60, dice);
  }
}

void Module::shuffle_sets(Dice& dice) {
  if (names_.size() > 1) {
    dice.shuffle(names_);
    form_.set("names", json_list(names_));
  }
  if (user_domains_.size() > 1) {
    dice.shuffle(user_domains_);
    form_.set("domains_of_users", json_list(user_domains_));
  }
}

}  // namespace collect::fleet
