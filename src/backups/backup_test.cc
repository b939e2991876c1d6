// SPDX-License-Identifier: Apache-2.0
#include "backups/backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace collect::backups {
namespace {

using testing::MatchesRegex;
using testing::StartsWith;

constexpr Time kNow{std::chrono::milliseconds(1'767'323'045'678)};  // 2026-01-02T03:04:05.678Z
constexpr std::string_view kUuid = "019b7c8a-27ae-7123-89ab-0123456789ab";

const Owner kOwner{OrganizationId("org-1"), SystemId("s"), "NETH-1"};

std::string extension(std::string_view filename) {
  return BackupId::make(filename, kNow).text().substr(36);
}

TEST(BackupId, TellsWhenTheUploadBegan) {
  const BackupId id = BackupId::make("x.tar.gz", kNow);
  EXPECT_THAT(id.text(), MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
                                      "\\.tar\\.gz"));
  EXPECT_EQ(id.uploaded_at(), kNow);
  EXPECT_EQ(BackupId::parse(id.text()), id);
  EXPECT_LT(id.text(), BackupId::make("a.bin", kNow + std::chrono::milliseconds(1)).text());
}

TEST(BackupId, KeepsTheKnownExtensions) {
  for (const std::string_view known : kExtensions) EXPECT_EQ(extension("a" + std::string(known)), known);
  EXPECT_EQ(extension("backup.tar.gz.gpg"), ".gpg");
  EXPECT_EQ(extension("BACKUP.TAR.GZ"), ".tar.gz");
  for (const char* other : {"", "a", "a.gz", "a.tar", "a.zip", "a.gpg.exe", "tar.gz", "a.tar.gz/"}) {
    EXPECT_EQ(extension(other), ".bin") << other;
  }
}

TEST(BackupId, IsStrict) {
  const std::string uuid(kUuid);
  for (const std::string_view known : kExtensions)
    EXPECT_TRUE(BackupId::parse(uuid + std::string(known)).has_value());
  for (const std::string& bad :
       {std::string(), uuid, uuid + ".exe", uuid + ".GPG", uuid + ".gpg.gpg", uuid + ".gpg ",
        " " + uuid + ".gpg", uuid + ".gpg\n", uuid + "/.gpg", uuid + std::string("\0.gpg", 5),
        std::string("../") + uuid + ".gpg",
        std::string("019B7C8A-27ae-7123-89ab-0123456789ab.gpg"),   // upper case
        std::string("019b7c8a-27ae-4123-89ab-0123456789ab.gpg"),   // version 4
        std::string("019b7c8a-27ae-7123-c9ab-0123456789ab.gpg"),   // another variant
        std::string("019b7c8a27ae-7123-89ab-0123456789ab00.gpg"),  // dashes elsewhere
        std::string("019b7c8g-27ae-7123-89ab-0123456789ab.gpg")}) {
    EXPECT_FALSE(BackupId::parse(bad).has_value()) << bad;
  }
}

TEST(BackupKey, SaysWhoseItIs) {
  const auto id = BackupId::parse(std::string(kUuid) + ".gpg").value();
  const std::string key = key_of(kOwner, id);
  EXPECT_EQ(key, "org-1/NETH-1/" + id.text());
  EXPECT_THAT(key, StartsWith(system_prefix(kOwner)));
  EXPECT_EQ(id_of_key(key), id);
}

TEST(BackupNames, AreHarmless) {
  EXPECT_EQ(safe_filename("dump-2026.01_02.tar.gz"), "dump-2026.01_02.tar.gz");
  EXPECT_EQ(safe_filename("../../etc/passwd"), "passwd");
  EXPECT_EQ(safe_filename("C:\\temp\\my backup.gpg"), "my_backup.gpg");
  EXPECT_EQ(safe_filename("a\r\nX-Evil: 1\"';$(x).gpg"), "a__X-Evil__1_____x_.gpg");
  EXPECT_EQ(safe_filename("sicherung-für-mich.gpg"), "sicherung-f__r-mich.gpg");
  EXPECT_EQ(safe_filename(std::string_view("a\0b", 3)), "a_b");
  EXPECT_EQ(safe_filename(std::string(1000, 'x')), std::string(255, 'x'));
  for (const char* nothing : {"", ".", "..", "a/", "\\", "../..", "/"}) EXPECT_EQ(safe_filename(nothing), "");
}

TEST(BackupNames, MediaTypesAreThatOrNone) {
  for (const char* good :
       {"application/gzip", "text/plain; charset=utf-8", "application/x-www-form-urlencoded"}) {
    EXPECT_EQ(safe_mimetype(good), good);
  }
  for (const std::string& bad :
       {std::string(), std::string("gzip"), std::string("a/b\r\nX: y"), std::string("/"),
        std::string("a b/c"), std::string("a/b; x=\xff"), "a/" + std::string(300, 'b')}) {
    EXPECT_EQ(safe_mimetype(bad), "application/octet-stream") << bad;
  }
}

}  // namespace
}  // namespace collect::backups
