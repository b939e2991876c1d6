// SPDX-License-Identifier: Apache-2.0
// The programs in docs/webhook.md, run as they stand there, between Collect and a chat.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "alerts/channels/peer_for_test.h"
#include "alerts/channels/webhook_channel.h"
#include "alerts/delivery_for_test.h"
#include "base/hash.h"
#include "support/process.h"
#include "support/source_dir.h"

namespace collect::alerts {
namespace {

using diff::Severity;
using testing::HasSubstr;

const std::string kDocument = test::read_text(std::string(COLLECT_SOURCE_DIR) + "/docs/webhook.md");

// The block of code that contains `words`.
std::string block_with(const std::string& words) {
  const auto at = kDocument.find(words);
  const auto begin = kDocument.rfind("```", at);
  const auto end = kDocument.find("```", at);
  if (at == std::string::npos || begin == std::string::npos || end == std::string::npos) return "";
  const auto line = kDocument.find('\n', begin) + 1;
  return kDocument.substr(line, end - line);
}

class BridgeTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string program = block_with("class Bridge");
    const auto at = program.find("8090");
    ASSERT_NE(at, std::string::npos);
    program.replace(at, 4, std::to_string(port));
    const auto file = folder.path() / "bridge.py";
    std::ofstream(file) << program;
    bridge = std::make_unique<test::Process>(test::ProcessOptions{
        .command = {"/usr/bin/python3", file.string()},
        .environment = {{"COLLECT_SECRET", "word"}, {"CHAT_URL", chat.origin() + "/chat"}}});
  }
  Result<std::string> send(const std::string& secret) {
    const std::string url = "http://127.0.0.1:" + std::to_string(port) + "/";
    WebhookChannel channel({.url = url, .secret = secret}, 10);
    // Until the bridge listens there is no answer at all.
    Result<std::string> answer = unavailable("not yet");
    test::eventually([&] {
      answer = channel.send(delivery);
      return answer.ok() || answer.failure().message.find("no answer") == std::string::npos;
    });
    return answer;
  }

  test::TempDir folder;
  const int port = test::free_port();
  Peer chat{"/chat"};
  std::unique_ptr<test::Process> bridge;
  Delivery delivery = test_delivery_of({test_item(1, Severity::critical, "<!channel> left")});
};

TEST_F(BridgeTest, HandsTheTextToTheChat) {
  const auto answer = send("word");
  ASSERT_TRUE(answer.ok()) << answer.failure().message << bridge->err();
  ASSERT_EQ(chat.requests().size(), 1U);
  EXPECT_THAT(chat.requests()[0].body, HasSubstr(R"({"text": "1 alert about rl1 )"));
  EXPECT_THAT(chat.requests()[0].body, HasSubstr("critical: &lt;!channel&gt; left"));
}

TEST_F(BridgeTest, RefusesWhatIsNotSigned) {
  const auto answer = send("another word");
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.failure().kind, FailureKind::invalid);
  EXPECT_THAT(answer.failure().message, HasSubstr("403"));
  EXPECT_TRUE(chat.requests().empty());
}

TEST_F(BridgeTest, PassesOnThatTheChatIsBusy) {
  chat.answer_with(503);
  const auto answer = send("word");
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.failure().kind, FailureKind::unavailable);
}

TEST(SignatureTest, TheRecipesVerifyIt) {
  const std::string body = webhook_payload(test_delivery_of({test_item(1, Severity::low, "è")}), 10);
  const std::string header = "sha256=" + to_hex(hmac_sha256("a word", body));
  test::TempDir folder;
  std::ofstream(folder.path() / "body.json", std::ios::binary) << body;
  const auto shell = test::run({.command = {"sh", "-c", block_with("openssl dgst")},
                                .environment = {{"SECRET", "a word"}},
                                .directory = folder.path()});
  EXPECT_EQ(shell.out, header + "\n") << shell.err;

  const auto python =
      test::run({.command = {"/usr/bin/python3", "-c",
                             block_with("def is_from_collect") +
                                 "\nimport sys\nbody = open('body.json', 'rb').read()\n"
                                 "print(is_from_collect(b'a word', body, sys.argv[1]),\n"
                                 "      is_from_collect(b'a word', body + b' ', sys.argv[1]))\n",
                             header},
                 .directory = folder.path()});
  EXPECT_EQ(python.out, "True False\n") << python.err;
}

}  // namespace
}  // namespace collect::alerts
