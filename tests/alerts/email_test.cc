// SPDX-License-Identifier: Apache-2.0
// Mails to a real SMTP server, read by a real mail reader.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "alerts/channels/email_channel.h"
#include "alerts/delivery_for_test.h"
#include "base/json.h"
#include "support/certificate.h"
#include "support/source_dir.h"

namespace collect::alerts {
namespace {

using namespace std::chrono_literals;
using diff::Severity;
using net::SmtpSecurity;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kPassword = "pass word: with 'odd' \"letters\"";

struct ReceivedMail {
  std::string text;  // all of it, as JSON
  std::vector<std::string> to;
  std::map<std::string, std::string> headers;
  std::map<std::string, std::string> parts;
};

class EmailTest : public testing::Test {
 protected:
  void start(const std::string& security, std::vector<std::string> more = {}) {
    std::vector<std::string> command = {"/usr/bin/python3",
                                        std::string(COLLECT_SOURCE_DIR) + "/tests/alerts/smtp_server.py",
                                        "--port",
                                        std::to_string(port),
                                        "--security",
                                        security,
                                        "--cert",
                                        certificate.cert(),
                                        "--key",
                                        certificate.key()};
    command.insert(command.end(), more.begin(), more.end());
    server = std::make_unique<test::Process>(test::ProcessOptions{.command = command});
    ASSERT_TRUE(server->wait_for_output("ready")) << server->err();
  }
  EmailChannelConfig config(SmtpSecurity security) const {
    EmailChannelConfig config;
    config.host = "127.0.0.1";
    config.port = port;
    config.security = security;
    config.ca_file = certificate.cert();
    config.from = {"Collect, our own", "collect@example.org"};
    config.to = {{"", "ops@example.org"}, {"Nachtschicht Öst", "night@example.org"}};
    config.timeout = 10s;
    return config;
  }
  EmailChannelConfig config_with_login(SmtpSecurity security) const {
    auto config = this->config(security);
    config.username = "collect";
    config.password = kPassword;
    return config;
  }
  static Result<std::string> send(const EmailChannelConfig& config, const Delivery& what) {
    return EmailChannel(config, 10).send(what);
  }
  ReceivedMail received() {
    std::istringstream lines(server->out());
    std::string last;
    for (std::string line; std::getline(lines, line);) last = line;
    const auto document = json::Document::parse(last);
    if (!document) throw std::runtime_error("no mail came: " + last + server->err());
    const json::Value& root = document->root();
    ReceivedMail mail;
    mail.text = last;
    for (const auto& to : root.find("to")->elements) mail.to.emplace_back(to.text);
    for (const auto& header : root.find("headers")->elements)
      mail.headers[std::string(header.elements[0].text)] = header.elements[1].text;
    for (const auto& part : root.find("parts")->elements)
      mail.parts[std::string(part.elements[0].text)] = part.elements[1].text;
    return mail;
  }
  std::size_t mails() {
    const std::string out = server->out();
    return static_cast<std::size_t>(std::count(out.begin(), out.end(), '\n')) - 1;
  }

  test::Certificate certificate;
  int port = test::free_port();
  std::unique_ptr<test::Process> server;
  Delivery delivery = test_delivery_of({test_item(1, Severity::critical, "Nodo 1 è uscito <b>"),
                                        test_item(2, Severity::high, "Certificate changed")});
};

TEST_F(EmailTest, OneDigestOverStarttlsWithALogin) {
  start("starttls", {"--login", std::string("collect:") + kPassword});
  const auto answer = send(config_with_login(SmtpSecurity::starttls), delivery);
  ASSERT_TRUE(answer.ok()) << answer.failure().message;
  EXPECT_EQ(*answer, "250 2.0.0 OK: queued as 4711");
  const auto mail = received();
  EXPECT_THAT(mail.text, HasSubstr("\"encrypted\": true, \"login\": \"collect\""));
  EXPECT_THAT(mail.text, HasSubstr("\"defects\": []"));
  EXPECT_THAT(mail.to, ElementsAre("ops@example.org", "night@example.org"));
  EXPECT_EQ(mail.headers.at("From"), "\"Collect, our own\" <collect@example.org>");
  EXPECT_EQ(mail.headers.at("To"), "ops@example.org, Nachtschicht Öst <night@example.org>");
  EXPECT_EQ(mail.headers.at("Subject"), "[Collect] critical: rl1: Nodo 1 è uscito <b> (+1)");
  EXPECT_EQ(mail.headers.at("Message-ID"), "<0190a000-0000-7000-8000-000000000001@example.org>");
  EXPECT_EQ(mail.headers.at("Date"), "Fri, 02 Jan 2026 05:04:05 +0000");
  EXPECT_EQ(mail.headers.at("Auto-Submitted"), "auto-generated");
  EXPECT_EQ(mail.parts.size(), 2U);
  EXPECT_EQ(mail.parts.at("text/plain"),
            "2 alerts about rl1 (NETH-rl1, rl1.example.org) of Acme & Söhne\n"
            "- critical: Nodo 1 è uscito <b> (facts.nodes.1, 2026-01-02 03:05 UTC)\n"
            "- high: Certificate changed (facts.nodes.2, 2026-01-02 03:06 UTC)\n");
  EXPECT_THAT(mail.parts.at("text/html"), HasSubstr("Nodo 1 è uscito &lt;b&gt;"));
}

TEST_F(EmailTest, OverTlsFromTheFirstByte) {
  start("tls", {"--login", std::string("collect:") + kPassword});
  const auto answer = send(config_with_login(SmtpSecurity::tls), delivery);
  ASSERT_TRUE(answer.ok()) << answer.failure().message;
  EXPECT_THAT(received().text, HasSubstr("\"encrypted\": true, \"login\": \"collect\""));
}

TEST_F(EmailTest, InTheClearWhereThatIsConfigured) {
  start("none");
  ASSERT_TRUE(send(config(SmtpSecurity::none), delivery).ok());
  EXPECT_THAT(received().text, HasSubstr("\"encrypted\": false"));
}

TEST_F(EmailTest, AStormIsOneReadableMail) {
  start("none");
  ASSERT_TRUE(send(config(SmtpSecurity::none), test_storm(1000)).ok());
  EXPECT_EQ(mails(), 1U);
  const auto mail = received();
  EXPECT_EQ(mail.headers.at("Subject"), "[Collect] critical: 1000 alerts about 1000 systems of Acme & Söhne");
  EXPECT_THAT(mail.parts.at("text/plain"),
              HasSubstr("and 990 more: collect alerts list --org org-1 --since"));
  EXPECT_LT(mail.text.size(), 20'000U);
}

TEST_F(EmailTest, DotsAndLongLinesArriveAsTheyWereSent) {
  start("none");
  delivery.items[0].alert.message = ".hidden\n.\n=20 ends with blank  " + std::string(200, 'x');
  ASSERT_TRUE(send(config(SmtpSecurity::none), delivery).ok());
  EXPECT_THAT(received().parts.at("text/plain"),
              HasSubstr("- critical: .hidden . =20 ends with blank " + std::string(200, 'x')));
}

TEST_F(EmailTest, AMessageInjectsNoHeader) {
  start("none");
  delivery.items[0].alert.message = "x\r\nBcc: eve@example.org\r\n\r\nbody";
  delivery.items[0].system.name = "rl1\r\nX-Evil: 1";
  ASSERT_TRUE(send(config(SmtpSecurity::none), delivery).ok());
  const auto mail = received();
  EXPECT_EQ(mail.headers.count("Bcc"), 0U);
  EXPECT_EQ(mail.headers.count("X-Evil"), 0U);
  EXPECT_THAT(mail.to, ElementsAre("ops@example.org", "night@example.org"));
}

TEST_F(EmailTest, AServerThatIsNotTrustedGetsNothing) {
  start("starttls", {"--login", std::string("collect:") + kPassword});
  const test::Certificate another;
  auto config = config_with_login(SmtpSecurity::starttls);
  config.ca_file = another.cert();
  const auto answer = send(config, delivery);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.failure().kind, FailureKind::unavailable);
  EXPECT_THAT(answer.failure().message, HasSubstr("certificate"));
  EXPECT_EQ(mails(), 0U);
}

TEST_F(EmailTest, WithoutStarttlsNothingIsSent) {
  start("none");
  const auto answer = send(config(SmtpSecurity::starttls), delivery);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.failure().kind, FailureKind::unavailable);
  EXPECT_EQ(mails(), 0U);
}

TEST_F(EmailTest, AWrongPasswordIsSaidAndNotShown) {
  start("starttls", {"--login", "collect:another"});
  const auto answer = send(config_with_login(SmtpSecurity::starttls), delivery);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.failure().kind, FailureKind::unavailable);
  EXPECT_THAT(answer.failure().message, HasSubstr("535"));
  EXPECT_THAT(answer.failure().message, Not(HasSubstr("odd")));
}

TEST_F(EmailTest, OneMailboxThatIsGoneKeepsTheMailFromNobodyElse) {
  start("none", {"--refuse", "ops@example.org"});
  const auto answer = send(config(SmtpSecurity::none), delivery);
  ASSERT_TRUE(answer.ok()) << answer.failure().message;
  EXPECT_THAT(*answer, HasSubstr("not for everybody: 550 5.1.1 <ops@example.org>: no such mailbox"));
  EXPECT_THAT(received().to, ElementsAre("night@example.org"));
}

TEST_F(EmailTest, TellsABusyServerFromOneThatRefuses) {
  start("none", {"--answer", "451 4.3.0 come back later"});
  const auto busy = send(config(SmtpSecurity::none), delivery);
  ASSERT_FALSE(busy.ok());
  EXPECT_EQ(busy.failure().kind, FailureKind::unavailable);
  EXPECT_THAT(busy.failure().message, HasSubstr("451 4.3.0 come back later"));

  port = test::free_port();
  start("none", {"--answer", "554 5.7.1 this is spam"});
  const auto refused = send(config(SmtpSecurity::none), delivery);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.failure().kind, FailureKind::invalid);
  EXPECT_THAT(refused.failure().message, HasSubstr("554 5.7.1 this is spam"));

  port = test::free_port();
  start("none", {"--refuse", "ops@example.org", "--refuse", "night@example.org"});
  const auto nobody = send(config(SmtpSecurity::none), delivery);
  ASSERT_FALSE(nobody.ok());
  EXPECT_EQ(nobody.failure().kind, FailureKind::invalid);
}

TEST_F(EmailTest, AServerThatIsAwayIsTriedLater) {
  const auto answer = send(config(SmtpSecurity::starttls), delivery);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.failure().kind, FailureKind::unavailable);
}

}  // namespace
}  // namespace collect::alerts
