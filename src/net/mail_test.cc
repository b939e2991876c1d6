// SPDX-License-Identifier: Apache-2.0
// How a mail looks on the wire. That a real server and a real reader understand it is in tests/alerts.
#include "net/mail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace collect::net {
namespace {

using testing::HasSubstr;
using testing::Not;

Mail example() {
  return {{"Collect", "collect@example.org"},
          {{"", "ops@example.org"}, {"Ops, \"night\"", "night@example.org"}},
          "A subject",
          "0190-id",
          parse_rfc3339("2026-01-02T03:04:05Z").value(),
          "plain\n",
          "<p>html</p>\n"};
}

TEST(MailTest, IsTwoAlternativesUnderOneHeader) {
  EXPECT_EQ(compose(example()),
            "From: \"Collect\" <collect@example.org>\r\n"
            "To: ops@example.org,\r\n \"Ops, \\\"night\\\"\" <night@example.org>\r\n"
            "Subject: A subject\r\n"
            "Date: Fri, 02 Jan 2026 03:04:05 +0000\r\n"
            "Message-ID: <0190-id@example.org>\r\n"
            "Auto-Submitted: auto-generated\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: multipart/alternative; boundary=\"=_collect_=\"\r\n\r\n"
            "--=_collect_=\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\nplain\r\n\r\n"
            "--=_collect_=\r\nContent-Type: text/html; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>html</p>\r\n\r\n"
            "--=_collect_=--\r\n");
}

TEST(MailTest, NoTextStartsAHeaderOrAPart) {
  auto mail = example();
  mail.subject = "One\r\nBcc: all@example.org\r\n\r\nbody";
  mail.to = {{"Eve\r\nBcc: all@example.org", "eve@example.org"}};
  mail.plain = "--=_collect_=--\r\n.\r\nBcc: all@example.org";
  const auto text = compose(mail);
  EXPECT_THAT(text, Not(HasSubstr("\r\nBcc: all@example.org\r\n\r\n")));
  EXPECT_THAT(text, HasSubstr("Subject: One  Bcc: all@example.org    body\r\n"));
  EXPECT_THAT(text, HasSubstr("\"Eve  Bcc: all@example.org\" <eve@example.org>\r\n"));
  EXPECT_THAT(text, HasSubstr("--=3D_collect_=3D--=0D\r\n.=0D\r\n"));
}

TEST(MailTest, LinesAreShortAndAscii) {
  auto mail = example();
  mail.subject = "Società «Übung» " + std::string(300, 'x') + " 日本語 \xFF";
  mail.plain = std::string(2000, 'y') + " àèìòù \n trailing \n";
  std::istringstream lines(compose(mail));
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 78U) << line;
    EXPECT_TRUE(line.ends_with('\r')) << line;
    for (const char c : line) EXPECT_LT(static_cast<unsigned char>(c), 0x80);
  }
  EXPECT_THAT(compose(mail), HasSubstr("Subject: =?UTF-8?B?"));
}

TEST(MailTest, ReadsAddresses) {
  EXPECT_EQ(parse_mailbox("a@b.c")->address, "a@b.c");
  const auto named = parse_mailbox("Night Ops <a@b.c>");
  ASSERT_TRUE(named.ok());
  EXPECT_EQ(named->name, "Night Ops");
  EXPECT_EQ(named->address, "a@b.c");
  EXPECT_EQ(parse_mailbox("<a@b.c>")->name, "");
  for (const auto* wrong : {"", "a", "@b", "a@", "a@b@c", "a b@c", "a@b>", "<a@b", "x <a@b",
                            "a@b\r\nRCPT TO:<x@y>", "N\r\nBcc: x@y <a@b>", "a@b, c@d", "a,c@d", "é@b.c"}) {
    EXPECT_FALSE(parse_mailbox(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace collect::net
