// SPDX-License-Identifier: Apache-2.0
// The servers and processes that other tests rely on do what their headers promise.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "support/http_client.h"
#include "support/postgres_server.h"
#include "support/process.h"
#include "support/redis_server.h"
#include "support/tcp_proxy.h"

namespace collect::test {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

TEST(ProcessTest, RunsACommandAndKeepsItsOutputAndExitCode) {
  const auto result = run({.command = {"sh", "-c", "cat; echo $WORD >&2; exit 3"},
                           .environment = {{"WORD", "loud"}},
                           .input = "quiet"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.out, "quiet");
  EXPECT_EQ(result.err, "loud\n");
}

TEST(ProcessTest, TellsAProgramThatIsNotThere) {
  EXPECT_EQ(run({.command = {"no-such-program-anywhere"}}).exit_code, 127);
}

TEST(ProcessTest, WaitsForALineAndStops) {
  Process process({.command = {"sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done"}});
  EXPECT_TRUE(process.wait_for_output("ready"));
  EXPECT_TRUE(process.running());
  EXPECT_EQ(process.stop(), 5);
  EXPECT_FALSE(process.running());
}

TEST(ProcessTest, KillsTheWholeGroup) {
  Process process({.command = {"sh", "-c", "sleep 1000 & echo $!; wait"}});
  ASSERT_TRUE(process.wait_for_output("\n"));
  const pid_t grandchild = std::stoi(process.out());
  process.kill_hard();
  EXPECT_EQ(process.wait_exit(), 128 + SIGKILL);
  EXPECT_TRUE(eventually([&] {
    // Gone, or dead and waiting to be reaped by whoever adopted it.
    return kill(grandchild, 0) != 0 ||
           read_text("/proc/" + std::to_string(grandchild) + "/stat").find(") Z") != std::string::npos;
  }));
}

TEST(ProcessTest, LeavesNothingBehindWhenTheTestIsKilled) {
  TempDir notes;
  const auto note = notes.path() / "note";
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // A program of its own in place of a crashing test: it runs only the test below.
    setenv("COLLECT_SUPPORT_TEST_NOTE", note.c_str(), 1);
    execl("/proc/self/exe", "support_test", "--gtest_filter=CrashingTest.StartsAndHangs", nullptr);
    _exit(127);
  }
  ASSERT_TRUE(eventually([&] { return read_text(note).ends_with("\n"); }, seconds(20)));
  std::ifstream stream(note);
  pid_t orphan = 0;
  std::string folder;
  stream >> orphan >> folder;
  EXPECT_EQ(kill(orphan, 0), 0);
  EXPECT_TRUE(std::filesystem::exists(folder));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(eventually([&] {
    return kill(orphan, 0) != 0 ||
           read_text("/proc/" + std::to_string(orphan) + "/stat").find(") Z") != std::string::npos;
  }));
  EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(folder); }));
}

// Only with the variable set is this the program that the test above kills.
TEST(CrashingTest, StartsAndHangs) {
  const char* note = std::getenv("COLLECT_SUPPORT_TEST_NOTE");
  if (note == nullptr) return;
  TempDir folder;
  Process process({.command = {"sleep", "1000"}});
  std::ofstream(note) << process.pid() << " " << folder.path().string() << "\n" << std::flush;
  sleep_for(seconds(60));
}

TEST(TempDirTest, GoesWithTheObject) {
  std::filesystem::path path;
  {
    const TempDir folder;
    path = folder.path();
    std::ofstream(path / "file") << "text";
    EXPECT_EQ(read_text(path / "file"), "text");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(PostgresServerTest, GivesEachTestADatabase) {
  auto& server = PostgresServer::shared();
  const auto one = server.new_database();
  const auto two = server.new_database();
  server.sql(one, "create table t (a int, b text); insert into t values (1, 'x'), (2, null)");
  EXPECT_EQ(server.sql(one, "select a, b from t order by a"), "1|x\n2|\n");
  EXPECT_THROW(server.sql(two, "select a from t"), std::runtime_error);
  const auto copy = server.create_database("copy_of_one", one.substr(one.rfind('/') + 1));
  EXPECT_EQ(server.sql(copy, "select count(*) from t"), "2\n");
}

TEST(PostgresServerTest, StopsStartsAndSurvivesBeingKilled) {
  PostgresServer server;
  const auto url = server.new_database();
  server.sql(url, "create table t as select 1 as a");
  server.stop();
  EXPECT_THROW(server.sql(url, "select 1"), std::runtime_error);
  server.start();
  EXPECT_EQ(server.sql(url, "select a from t"), "1\n");
  server.sql(url, "insert into t values (2)");
  server.kill_hard();
  EXPECT_THROW(server.sql(url, "select 1"), std::runtime_error);
  server.start();
  EXPECT_EQ(server.sql(url, "select count(*) from t"), "2\n");
}

TEST(PostgresServerTest, EndsSessionsAndGoesOn) {
  auto& server = PostgresServer::shared();
  const auto url = server.new_database();
  Process session({.command = {"psql", url, "-c", "select pg_sleep(60)"}});
  ASSERT_TRUE(eventually([&] {
    return server.sql(url, "select count(*) from pg_stat_activity where query like 'select pg_sleep%'") ==
           "1\n";
  }));
  server.terminate_backends();
  EXPECT_NE(session.wait_exit(seconds(5)).value_or(0), 0);
  EXPECT_EQ(server.sql(url, "select 1"), "1\n");
}

TEST(RedisServerTest, KeepsItsDataOverStopAndKill) {
  RedisServer server;
  EXPECT_EQ(server.cli({"set", "word", "kept"}), "OK");
  server.stop();
  EXPECT_THROW(server.cli({"get", "word"}), std::runtime_error);
  server.start();
  EXPECT_EQ(server.cli({"get", "word"}), "kept");
  server.cli({"set", "word", "kept again"});
  server.kill_hard();
  server.start();
  EXPECT_EQ(server.cli({"get", "word"}), "kept again");
  server.flush();
  EXPECT_EQ(server.cli({"dbsize"}), "0");
}

TEST(RedisServerTest, PausesAndResumes) {
  auto& server = RedisServer::shared();
  server.pause();
  HttpClient client(server.port());
  client.send("PING\r\n");
  EXPECT_TRUE(client.silent_for(milliseconds(100)));
  server.resume();
  EXPECT_FALSE(client.silent_for(seconds(5)));
}

// A server of four lines that answers each request on one kept connection with what it was told.
TEST(HttpClientTest, ReadsLengthsChunksAndKeepsTheConnection) {
  const int port = free_port();
  Process server({.command = {"python3", "-c", R"(
import socket, sys
listener = socket.socket(); listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1]))); listener.listen(); print("up", flush=True)
connection, _ = listener.accept()
answers = [b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nX-Word: yes\r\n\r\nok",
           b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
           b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"]
for answer in answers:
    request = b""
    while b"\r\n\r\n" not in request: request += connection.recv(4096)
    print(request.decode(), flush=True)
    connection.sendall(answer)
connection.close()
)",
                              std::to_string(port)}});
  ASSERT_TRUE(server.wait_for_output("up"));
  HttpClient client(port);
  client.basic_auth("Aladdin", "open sesame");
  const auto first = client.get("/one");
  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(first.body, "ok");
  EXPECT_EQ(first.header("X-word"), "yes");
  EXPECT_EQ(client.get("/two").body, "abcde");
  EXPECT_TRUE(client.connected());
  EXPECT_EQ(client.request("DELETE", "/three").status, 204);
  EXPECT_FALSE(client.connected());
  EXPECT_EQ(server.wait_exit(), 0);
  EXPECT_THAT(server.out(), HasSubstr("Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
  EXPECT_THROW(client.get("/four"), std::runtime_error);
}

// Whether the server counts up, seen through the proxy: its answer, or "" when there is none.
std::string count_up(int port, milliseconds patience = seconds(5)) try {
  HttpClient client(port, patience);
  client.send("INCR counter\r\n");
  client.send("QUIT\r\n");
  return client.receive_rest();
} catch (const std::runtime_error&) {
  return "";
}

TEST(TcpProxyTest, PassesSwallowsRefusesAndPassesAgain) {
  TcpProxy proxy(RedisServer::shared().port());
  RedisServer::shared().flush();
  EXPECT_THAT(count_up(proxy.port()), HasSubstr(":1"));
  proxy.become(TcpProxy::Mood::swallows);
  EXPECT_EQ(count_up(proxy.port(), milliseconds(200)), "");
  proxy.become(TcpProxy::Mood::refuses);
  EXPECT_EQ(count_up(proxy.port()), "");
  proxy.become(TcpProxy::Mood::passes);
  EXPECT_THAT(count_up(proxy.port()), HasSubstr(":2"));
  proxy.delay(milliseconds(100));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(count_up(proxy.port()), HasSubstr(":3"));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(200)) << "there and back";
}

TEST(TcpProxyTest, CutsBeforeTheRequestAndAfterTheAnswer) {
  TcpProxy proxy(RedisServer::shared().port());
  RedisServer::shared().flush();
  int acted = 0;
  proxy.set({.moment = TcpProxy::Moment::before_request, .containing = "counter", .act = [&] { ++acted; }});
  EXPECT_EQ(count_up(proxy.port()), "");
  EXPECT_TRUE(proxy.unset());
  EXPECT_EQ(RedisServer::shared().cli({"get", "counter"}), "") << "the server never heard of it";
  // Of the two with "counter": the QUIT behind the first is a request of its own where the answer was faster.
  proxy.set(
      {.moment = TcpProxy::Moment::after_answer, .containing = "counter", .nth = 2, .act = [&] { ++acted; }});
  EXPECT_THAT(count_up(proxy.port()), HasSubstr(":1"));
  EXPECT_EQ(count_up(proxy.port()), "");
  EXPECT_TRUE(proxy.unset());
  EXPECT_EQ(acted, 2);
  EXPECT_EQ(RedisServer::shared().cli({"get", "counter"}), "2") << "done, and nobody was told";
  proxy.set({.nth = 100});
  EXPECT_THAT(count_up(proxy.port()), HasSubstr(":3"));
  EXPECT_FALSE(proxy.unset());
}

}  // namespace
}  // namespace collect::test
