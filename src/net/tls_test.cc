// SPDX-License-Identifier: Apache-2.0
#include "net/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/certificate.h"

namespace collect::net {
namespace {

using test::Certificate;
using test::KeyKind;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string refusal(const std::string& certificate, const std::string& key) {
  const auto identity = TlsIdentity::load(certificate, key);
  if (identity.ok()) return "taken";
  EXPECT_EQ(identity.failure().kind, FailureKind::invalid);
  return identity.failure().message;
}

std::string written(const test::TempDir& folder, const std::string& name, const std::string& text) {
  const std::string path = folder.path() / name;
  std::ofstream(path) << text;
  return path;
}

TEST(TlsIdentity, KnowsWhenItEnds) {
  for (const KeyKind kind : {KeyKind::ec, KeyKind::rsa}) {
    const Certificate certificate(kind, 3);
    const auto identity = TlsIdentity::load(certificate.cert(), certificate.key());
    ASSERT_TRUE(identity.ok()) << identity.failure().message;
    const auto left = (*identity)->ends_at() - SystemClock().now();
    EXPECT_GT(left, std::chrono::hours(71));
    EXPECT_LE(left, std::chrono::hours(72));
  }
}

TEST(TlsIdentity, NamesTheFileThatCannotBeUsed) {
  const Certificate good;
  const test::TempDir folder;
  const std::string empty = written(folder, "empty.pem", "");
  const std::string text = written(folder, "text.pem", "not a certificate\n");
  const std::string cut = written(folder, "cut.pem", test::read_text(good.cert()).substr(0, 200));
  const std::string none = folder.path() / "none.pem";
  EXPECT_EQ(refusal(none, good.key()), "TLS_CERT_FILE: cannot read " + none + ": No such file or directory");
  EXPECT_EQ(refusal(good.cert(), none), "TLS_KEY_FILE: cannot read " + none + ": No such file or directory");
  EXPECT_EQ(refusal(empty, good.key()), "TLS_CERT_FILE: cannot read " + empty + ": it is empty, or no file");
  EXPECT_EQ(refusal(good.cert(), folder.path()),
            "TLS_KEY_FILE: cannot read " + folder.path().string() + ": it is empty, or no file");
  for (const std::string& file : {text, cut, good.key()}) {
    EXPECT_THAT(refusal(file, good.key()),
                AllOf(StartsWith("TLS_CERT_FILE: expected certificates in PEM form in " + file),
                      Not(HasSubstr("not a certificate"))));
  }
  for (const std::string& file : {text, good.cert()}) {
    EXPECT_THAT(refusal(good.cert(), file),
                StartsWith("TLS_KEY_FILE: expected a private key in PEM form without a password in " + file));
  }
}

TEST(TlsIdentity, TakesNoKeyOfAnotherCertificate) {
  const Certificate mine;
  const Certificate other;
  const Certificate of_another_kind(KeyKind::rsa);
  for (const std::string& key : {other.key(), of_another_kind.key()}) {
    EXPECT_THAT(refusal(mine.cert(), key),
                StartsWith("TLS_KEY_FILE: the key in " + key + " does not belong to the certificate in " +
                           mine.cert() + " (TLS_CERT_FILE)"));
  }
}

// OpenSSL would ask for it at the terminal, and a service would never start.
TEST(TlsIdentity, AsksNobodyForAPassword) {
  const Certificate certificate;
  const std::string locked = certificate.key() + ".locked";
  const auto made = test::run({.command = {"openssl", "ec", "-in", certificate.key(), "-aes256", "-passout",
                                           "pass:secret", "-out", locked}});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_THAT(refusal(certificate.cert(), locked),
              StartsWith("TLS_KEY_FILE: expected a private key in PEM form without a password in " + locked));
}

}  // namespace
}  // namespace collect::net
