// SPDX-License-Identifier: Apache-2.0
#include "alerts/channel_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/ids.h"

namespace collect::alerts {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

std::map<std::string, ChannelConfig> read(const std::string& yaml) {
  return read_channels(diff::ConfigEntry::parse(yaml, "config.yml"));
}
std::string refusal(const std::string& yaml) {
  try {
    read(yaml);
  } catch (const diff::BadConfig& bad) {
    return bad.what();
  }
  return "";
}

class ChannelConfigTest : public testing::Test {
 protected:
  ~ChannelConfigTest() override { std::filesystem::remove(file); }
  void write(const std::string& text) const { std::ofstream(file, std::ios::binary) << text; }

  const std::string file = testing::TempDir() + "channel_config_test." + random_hex(8);
};

TEST_F(ChannelConfigTest, TheShortestOfEachKind) {
  const auto channels = read(
      "log: {type: log}\n"
      "hook: {type: webhook, url: 'https://example.org/hooks/x'}\n"
      "mail: {type: email, host: mail.example.org, from: c@example.org, to: ops@example.org}\n"
      "mimir: {type: alertmanager}\n");
  EXPECT_EQ(channels.at("log"), ChannelConfig(LogChannelConfig{}));
  EXPECT_EQ(channels.at("hook"), ChannelConfig(WebhookChannelConfig{.url = "https://example.org/hooks/x"}));
  EXPECT_EQ(channels.at("mimir"), ChannelConfig(AlertmanagerChannelConfig{}));
  const auto& mail = std::get<EmailChannelConfig>(channels.at("mail"));
  EXPECT_EQ(mail.port, 587);
  EXPECT_EQ(mail.security, net::SmtpSecurity::starttls);
  EXPECT_EQ(mail.to.size(), 1U);
  EXPECT_EQ(mail.timeout, 30s);
}

TEST_F(ChannelConfigTest, AllKeys) {
  write("-----BEGIN CERTIFICATE-----\n");
  const auto channels =
      read("hook: {type: webhook, url: 'http://[::1]:9/x', secret: word, ca_file: '" + file +
           "', timeout: 3s}\n"
           "mail: {type: email, host: mail, port: 26, security: tls, username: u, password: p, "
           "ca_file: '" +
           file +
           "', from: 'Collect <c@e.org>', to: [a@e.org, 'B <b@e.org>'], "
           "timeout: 1m}\n"
           "mimir: {type: alertmanager, lasts: 7d, timeout: 5s, ca_file: '" +
           file + "'}\n");
  EXPECT_EQ(channels.at("hook"), ChannelConfig(WebhookChannelConfig{"http://[::1]:9/x", "word", file, 3s}));
  EXPECT_EQ(channels.at("mail"), ChannelConfig(EmailChannelConfig{"mail",
                                                                  26,
                                                                  net::SmtpSecurity::tls,
                                                                  "u",
                                                                  "p",
                                                                  file,
                                                                  net::Mailbox{"Collect", "c@e.org"},
                                                                  {{"", "a@e.org"}, {"B", "b@e.org"}},
                                                                  60s}));
  EXPECT_EQ(channels.at("mimir"), ChannelConfig(AlertmanagerChannelConfig{168h, file, 5s}));
}

TEST_F(ChannelConfigTest, PortsFollowSecurity) {
  const std::string rest = "host: h, from: a@b, to: a@b}";
  EXPECT_EQ(std::get<EmailChannelConfig>(read("m: {type: email, security: tls, " + rest).at("m")).port, 465);
  EXPECT_EQ(std::get<EmailChannelConfig>(read("m: {type: email, security: none, " + rest).at("m")).port, 25);
}

TEST_F(ChannelConfigTest, ASecretMayStandInAFileOfItsOwn) {
  write("  s3cret word \r\n\n");
  const auto hook = read("h: {type: webhook, url: 'https://e.org', secret_file: '" + file + "'}").at("h");
  EXPECT_EQ(std::get<WebhookChannelConfig>(hook).secret, "  s3cret word ");
  EXPECT_THAT(refusal("h: {type: webhook, url: 'https://e.org', secret: a, secret_file: '" + file + "'}"),
              HasSubstr("either secret or secret_file"));
  write("\n");
  EXPECT_THAT(refusal("h: {type: webhook, url: 'https://e.org', secret_file: '" + file + "'}"),
              HasSubstr("h.secret_file: expected a file with a text in it"));
  EXPECT_THAT(refusal("h: {type: webhook, url: 'https://e.org', secret_file: /nowhere/at/all}"),
              HasSubstr("cannot read /nowhere/at/all"));
  EXPECT_THAT(refusal("h: {type: webhook, url: 'https://e.org', secret_file: /}"),
              HasSubstr("cannot read /"));
}

TEST_F(ChannelConfigTest, RefusesWithLineAndKey) {
  write("no certificate");
  const std::string mail = "m: {type: email, host: h, from: a@b, to: a@b";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[]", "expected a mapping"},
      {"\nx: {url: 'http://a'}", "config.yml:2: x: expected the key 'type', which is missing"},
      {"x: {type: pigeon}", "x.type: expected log, webhook, email or alertmanager, got 'pigeon'"},
      {"x: {type: log, url: 'http://a'}", "unknown key 'url'"},
      {"'A b': {type: log}", "small letters"},
      {"x: {type: webhook}", "expected the key 'url'"},
      {"x: {type: webhook, url: 'ftp://a'}", "x.url: expected a URL"},
      {"x: {type: webhook, url: 'http://a', timeout: 10}", "x.timeout: expected a time like 10s"},
      {"x: {type: webhook, url: 'http://a', timeout: 1h}", "from 1s to 120s"},
      {"x: {type: webhook, url: 'http://a', timeout: 1h}", "from 1s to 120s"},
      {"x: {type: webhook, url: 'http://a', ca_file: '" + file + "'}", "certificates in PEM form"},
      {"x: {type: alertmanager, lasts: 1m}", "x.lasts: expected"},
      {mail + ", port: 0}", "m.port: expected a whole number from 1 to 65535"},
      {mail + ", security: maybe}", "m.security: expected starttls, tls or none"},
      {mail + ", username: u}", "username and password together"},
      {mail + ", security: none, username: u, password: p}", "does not travel in the clear"},
      {"m: {type: email, host: 'h:25/x', from: a@b, to: a@b}", "m.host: expected the name"},
      {"m: {type: email, host: h, from: nobody, to: a@b}", "m.from: expected an address"},
      {"m: {type: email, host: h, from: a@b, to: [a@b, c]}", "m.to[1]: expected an address"},
      {"m: {type: email, host: h, from: a@b, to: []}", "at least one address"},
  };
  for (const auto& [yaml, reason] : cases) EXPECT_THAT(refusal(yaml), HasSubstr(reason)) << yaml;
}

TEST_F(ChannelConfigTest, ARefusalRepeatsNoSecret) {
  EXPECT_THAT(refusal("x: {type: webhook, url: 'hooks.example.org/s3cret'}"), Not(HasSubstr("s3cret")));
  EXPECT_THAT(refusal("m: {type: email, host: h, from: a@b, to: a@b, security: none, username: u, password: "
                      "s3cret}"),
              Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace collect::alerts
