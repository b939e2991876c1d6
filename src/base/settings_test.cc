// SPDX-License-Identifier: Apache-2.0
#include "base/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "support/source_dir.h"

namespace collect {
namespace {

using ::testing::HasSubstr;

Result<LoadedSettings> load(std::map<std::string, std::string> environment) {
  environment.try_emplace("ENV_FILE", "/dev/null");
  return load_settings([&](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  });
}

TEST(Settings, HaveTheDefaultsOfTheContract) {
  const auto loaded = load({});
  ASSERT_TRUE(loaded.ok()) << loaded.failure().message;
  const Settings& s = loaded->settings;
  EXPECT_EQ(s.listen_address, "127.0.0.1:8081");
  EXPECT_EQ(s.api_max_request_size.bytes, 10U << 20U);
  EXPECT_EQ(s.queue_inventory_name, "collect:inventory");
  EXPECT_EQ(s.redis_db, 1);
  EXPECT_EQ(s.system_auth_cache_ttl, std::chrono::minutes(10));
  EXPECT_TRUE(s.embedded());
}

TEST(Settings, NameEveryBadValueAtOnce) {
  const auto loaded = load({{"BATCH_PROCESSOR_SIZE", "many"},
                            {"QUEUE_RETRY_DELAY", "5"},
                            {"API_MAX_REQUEST_SIZE", "10 MB"},
                            {"LOG_LEVEL", "loud"},
                            {"OPERATOR_TOKEN", "short-token"}});
  ASSERT_FALSE(loaded.ok());
  const std::string& message = loaded.failure().message;
  EXPECT_THAT(message,
              HasSubstr("BATCH_PROCESSOR_SIZE: expected a whole number from 1 to 10000, got \"many\""));
  EXPECT_THAT(message, HasSubstr("QUEUE_RETRY_DELAY: expected a duration"));
  EXPECT_THAT(message, HasSubstr("API_MAX_REQUEST_SIZE: expected a size"));
  EXPECT_THAT(message, HasSubstr("LOG_LEVEL: expected one of debug, info, warn, error, got \"loud\""));
  EXPECT_THAT(message, HasSubstr("OPERATOR_TOKEN: expected at least 32 characters, got 11"));
  EXPECT_THAT(message, Not(HasSubstr("short-token")));
}

TEST(Settings, RefuseHalfAnS3) {
  const std::map<std::string, std::string> all = {{"S3_ENDPOINT", "https://s3.example.org"},
                                                  {"S3_ACCESS_KEY", "AK"},
                                                  {"S3_SECRET_KEY", "hidden"},
                                                  {"BACKUP_S3_BUCKET", "collect"}};
  EXPECT_TRUE(load(all));
  for (const auto& [name, value] : all) {
    auto some = all;
    some.erase(name);
    const auto loaded = load(some);
    ASSERT_FALSE(loaded) << name;
    EXPECT_THAT(loaded.failure().message, HasSubstr("BACKUP_S3_BUCKET go together"));
    EXPECT_THAT(loaded.failure().message, Not(HasSubstr("hidden")));
  }
  auto wrong = all;
  wrong["BACKUP_S3_BUCKET"] = "My_Bucket";
  EXPECT_THAT(load(wrong).failure().message, HasSubstr("BACKUP_S3_BUCKET: expected a bucket's name"));
  EXPECT_THAT(load(wrong).failure().message, Not(HasSubstr("go together")));
  wrong = all;
  wrong["BACKUP_S3_ENCRYPTION"] = "rot13";
  EXPECT_THAT(load(wrong).failure().message,
              HasSubstr("BACKUP_S3_ENCRYPTION: expected one of bucket, AES256"));
}

TEST(Settings, RefuseHalfAnEngine) {
  EXPECT_THAT(load({{"DATABASE_URL", "postgresql://x"}}).failure().message, HasSubstr("REDIS_URL is not"));
  EXPECT_THAT(load({{"REDIS_URL", "redis://x"}}).failure().message, HasSubstr("DATABASE_URL is not"));
  EXPECT_THAT(load({{"APP_ENV", "production"}}).failure().message, HasSubstr("APP_ENV=production needs"));
}

TEST(Settings, EnvironmentWinsOverFileAndSecretsStayHidden) {
  const std::string path = testing::TempDir() + "/settings_test.env";
  std::ofstream(path) << "# comment\nexport LOG_LEVEL=debug\nREDIS_PASSWORD='p w'\nBATCH_PROCESSOR_SIZE=7\n";
  const auto loaded = load({{"ENV_FILE", path}, {"LOG_LEVEL", "warn"}});
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->settings.log_level, log::Level::warn);
  EXPECT_EQ(loaded->settings.batch_processor_size, 7);
  EXPECT_EQ(loaded->settings.redis_password, "p w");
  for (const SettingSource& source : loaded->sources) EXPECT_NE(source.value, "p w");
  EXPECT_FALSE(load({{"ENV_FILE", "/nonexistent/env"}}).ok());
}

TEST(Settings, RefuseALineThatNamesNoSetting) {
  for (const std::string line : {"LOG_LEVEL =debug", "\xEF\xBB\xBFLOG_LEVEL=debug", "LOG_LEVEL", "=debug"}) {
    const auto read = parse_env_file("# first\n" + line + "\n", "collect.env");
    ASSERT_FALSE(read.ok()) << line;
    EXPECT_EQ(read.failure().message, "collect.env line 2: expected NAME=value");
  }
  const auto read = parse_env_file("  export LOG_LEVEL= debug\r\nfoo.bar=1", "collect.env");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->at(0), std::pair(std::string("LOG_LEVEL"), std::string(" debug")));
  EXPECT_EQ(read->at(1).first, "foo.bar");
}

TEST(Settings, PageIsFresh) {
  std::ifstream in(COLLECT_SOURCE_DIR "/docs/settings.md");
  std::ostringstream page;
  page << in.rdbuf();
  EXPECT_EQ(page.str(), settings_markdown()) << "run: collect config explain --markdown > docs/settings.md";
}

TEST(Settings, RefuseWhatOnlyThePartThatUsesThemWouldFind) {
  const auto loaded = load({{"LISTEN_ADDRESS", "foo"},
                            {"METRICS_ADDRESS", "127.0.0.1:99999"},
                            {"TRUSTED_PROXIES", "10.0.0.0/8, nonsense"},
                            {"DATABASE_URL", "mysql://user:hunter2@host/db"},
                            {"REDIS_URL", "rediss://host"},
                            {"MIMIR_URL", "mimir.example.org"},
                            {"QUEUE_INVENTORY_NAME", "collect:inventory:dead"},
                            {"QUEUE_PROCESSING_NAME", "two words"}});
  ASSERT_FALSE(loaded.ok());
  const std::string& message = loaded.failure().message;
  EXPECT_THAT(message, HasSubstr("LISTEN_ADDRESS: expected an address like 127.0.0.1:8081"));
  EXPECT_THAT(message, HasSubstr("METRICS_ADDRESS: expected an address"));
  EXPECT_THAT(message,
              HasSubstr("TRUSTED_PROXIES: expected addresses or networks like 10.0.0.0/8, got \"nonsense\""));
  EXPECT_THAT(message,
              HasSubstr("DATABASE_URL: expected a URL that starts with postgresql:// or postgres://"));
  EXPECT_THAT(message, HasSubstr("REDIS_URL: expected a URL that starts with redis:// or unix://"));
  EXPECT_THAT(message, HasSubstr("MIMIR_URL: expected a URL that starts with http:// or https://"));
  EXPECT_THAT(message, HasSubstr("QUEUE_INVENTORY_NAME: expected a name"));
  EXPECT_THAT(message, HasSubstr("QUEUE_PROCESSING_NAME: expected a name"));
  EXPECT_THAT(message, Not(HasSubstr("hunter2")));
}

TEST(Settings, TakeEveryFormThatIsMeant) {
  for (const char* address : {"127.0.0.1:8081", "[::1]:0", ":80", "collect.example.org:65535", "0.0.0.0:1"}) {
    EXPECT_TRUE(load({{"LISTEN_ADDRESS", address}}).ok()) << address;
  }
  for (const char* proxies : {"10.0.0.1", "10.0.0.0/8,192.168.0.0/16", "::1, fd00::/8"}) {
    EXPECT_TRUE(load({{"TRUSTED_PROXIES", proxies}}).ok()) << proxies;
  }
  EXPECT_TRUE(load({{"DATABASE_URL", "postgres://u:p@h/d"}, {"REDIS_URL", "unix:///run/redis.sock"}}).ok());
}

TEST(Settings, DurationsAreBounded) {
  EXPECT_EQ(*parse_duration("30d"), std::chrono::hours(720));
  EXPECT_TRUE(parse_duration("18000d").ok());
  EXPECT_FALSE(parse_duration("1000000000d").ok());
  EXPECT_FALSE(parse_duration("-1s").ok());
}

}  // namespace
}  // namespace collect
