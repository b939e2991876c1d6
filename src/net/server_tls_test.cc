// SPDX-License-Identifier: Apache-2.0
// What TLS adds to the door; all else is tried over both wires in the server's other suites.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "net/raw_client_for_test.h"
#include "net/server.h"
#include "support/wires.h"

namespace collect::net {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

const std::string kGet = "GET /ok HTTP/1.1\r\nHost: h\r\n\r\n";

// Ends by a failure when `fails`.
class Words final : public ByteSource {
 public:
  explicit Words(bool fails) : fails_(fails) {}
  Result<std::size_t> read(std::span<char> into) override {
    if (at_++ < 3) return std::string_view("words ").copy(into.data(), into.size());
    if (fails_) return unavailable("the storage is away");
    return std::size_t{0};
  }

 private:
  const bool fails_;
  int at_ = 0;
};

class TlsTest : public testing::Test {
 protected:
  void start(test::KeyKind kind = test::KeyKind::ec) {
    certificate_ = std::make_unique<test::Certificate>(kind);
    options_.listen_address = "127.0.0.1:0";
    options_.tls = identity_of(*certificate_);
    router_.add(Method::get, "/ok",
                open_to_all(0, BodyUse::buffer, [](const Request&) { return envelope(200, "ok"); }));
    router_.add(Method::get, "/words/{how}", {[](const RequestHead&) -> Admission {
                  return Accepted{0, BodyUse::stream, [](const Request& request) {
                                    Response response;
                                    response.source = std::make_shared<Words>(request.params.at(0) == "cut");
                                    response.source_bytes = kUntilItEnds;
                                    return response;
                                  }};
                }});
    server_ = std::make_unique<Server>(options_, router_, pool_, clock_);
    ASSERT_TRUE(server_->start().ok());
  }
  RawClient client() { return RawClient(server_->port(), Wire::tls); }
  // The client may know it before it is counted.
  [[nodiscard]] bool fails(std::uint64_t times) const {
    for (int i = 0; i < 2000 && server_->counters().tls_failures < times; ++i) {
      std::this_thread::sleep_for(milliseconds(5));
    }
    return server_->counters().tls_failures == times;
  }
  bool serves() { return client().ask(kGet).status == 200; }
  // What openssl's client says about a connection with these options.
  [[nodiscard]] std::string s_client(std::vector<std::string> options) const {
    std::vector<std::string> command = {"openssl",          "s_client", "-connect",
                                        server_->address(), "-CAfile",  certificate_->cert()};
    command.insert(command.end(), options.begin(), options.end());
    const auto done = test::run({.command = command, .input = "GET /ok HTTP/1.0\r\n\r\n"});
    return done.out + done.err;
  }
  static std::string shown_certificate(const RawClient& client) {
    const std::unique_ptr<X509, void (*)(X509*)> shown(SSL_get1_peer_certificate(client.tls()), &X509_free);
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(shown.get(), &bytes);
    std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return out;
  }

  std::unique_ptr<test::Certificate> certificate_;
  ServerOptions options_;
  Router router_;
  Pool pool_{4, 1000};
  SystemClock clock_;
  std::unique_ptr<Server> server_;
};

TEST_F(TlsTest, SpeaksNothingOlderThanTls12) {
  for (const auto kind : {test::KeyKind::ec, test::KeyKind::rsa}) {
    start(kind);
    EXPECT_THAT(s_client({"-tls1_3"}), HasSubstr("Verify return code: 0 (ok)"));
    EXPECT_THAT(s_client({"-tls1_3"}), HasSubstr("Cipher is TLS_"));
    EXPECT_THAT(s_client({"-tls1_2"}), HasSubstr("Verify return code: 0 (ok)"));
    EXPECT_THAT(s_client({"-tls1_2"}), HasSubstr("Cipher is ECDHE-"));
    for (const char* old : {"-tls1_1", "-tls1"}) {
      EXPECT_THAT(s_client({old, "-cipher", "ALL:@SECLEVEL=0"}), HasSubstr("Cipher is (NONE)")) << old;
    }
    server_.reset();
    router_ = Router();
  }
}

TEST_F(TlsTest, AgreesOnCiphersThatKeepThePastSecretOnly) {
  start(test::KeyKind::rsa);
  for (const char* weak : {"AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "DHE-RSA-AES128-GCM-SHA256",
                           "CAMELLIA128-SHA", "NULL-SHA256", "ADH-AES128-GCM-SHA256"}) {
    EXPECT_THAT(s_client({"-tls1_2", "-cipher", std::string(weak) + ":@SECLEVEL=0"}),
                HasSubstr("Cipher is (NONE)"))
        << weak;
  }
  for (const char* good : {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"}) {
    EXPECT_THAT(s_client({"-tls1_2", "-cipher", good}), HasSubstr(std::string("Cipher is ") + good));
  }
}

TEST_F(TlsTest, NamesTheProtocolThatItSpeaks) {
  start();
  EXPECT_THAT(s_client({"-alpn", "h2,http/1.1"}), HasSubstr("ALPN protocol: http/1.1"));
  EXPECT_THAT(s_client({"-alpn", "h2"}), HasSubstr("No ALPN negotiated"));
}

// Appliances connect for each report: only the first handshake has to cost a signature.
TEST_F(TlsTest, ResumesSessionsThatClientsKept) {
  start();
  const std::string session = certificate_->cert() + ".session";
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    EXPECT_THAT(s_client({version, "-ign_eof", "-sess_out", session}), HasSubstr("New, TLS")) << version;
    EXPECT_THAT(s_client({version, "-ign_eof", "-sess_in", session}), HasSubstr("Reused, TLS")) << version;
  }
}

TEST_F(TlsTest, TellsAPlainRequestWhatIsExpected) {
  start();
  RawClient plain(server_->port());
  const RawAnswer answer = plain.ask(kGet);
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, "expected TLS (https://) at this address, got a plain request\n");
  EXPECT_TRUE(plain.ended());
  RawClient noise(server_->port());
  noise.send(std::string(100'000, '\x01'));
  noise.receive_rest();
  EXPECT_TRUE(fails(2));
  EXPECT_EQ(server_->counters().requests, 0U);
  EXPECT_TRUE(serves());
}

// Neither those who say nothing nor those who stop in the middle keep anybody waiting, and they are cut at
// the deadline of a head.
TEST_F(TlsTest, SlowHandshakesOccupyNothing) {
  options_.header_deadline = milliseconds(3000);
  options_.io_threads = 1;
  start();
  std::vector<RawClient> slow;
  for (int i = 0; i < 300; ++i) {
    slow.emplace_back(server_->port());
    // The beginning of a ClientHello of 512 bytes.
    if (i % 2 == 1) slow.back().send(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));
  }
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(serves());
  for (RawClient& c : slow) EXPECT_EQ(c.receive_rest().find("HTTP"), std::string::npos);
  EXPECT_TRUE(fails(300));
  // One byte now and then is no excuse either.
  RawClient trickle(server_->port());
  trickle.send(std::string("\x16\x03\x01\x02\x00", 5));
  int sent = 0;
  while (sent < 500 && trickle.silent(milliseconds(20)) && trickle.send("\x01")) ++sent;
  EXPECT_LT(sent, 500);
  EXPECT_TRUE(serves());
}

// Such records end on their own, and with them what was asked for in pieces of one byte.
TEST_F(TlsTest, ReadsRecordsOfOneByte) {
  start();
  RawClient c = client();
  for (int round = 0; round < 3; ++round) {
    for (const char byte : kGet) ASSERT_TRUE(c.send(std::string_view(&byte, 1)));
    EXPECT_EQ(c.receive().status, 200);
  }
  std::string many;
  for (int i = 0; i < 500; ++i) many += kGet;
  c.send(many);
  for (int i = 0; i < 500; ++i) ASSERT_EQ(c.receive().status, 200);
}

TEST_F(TlsTest, GoesOnWithNewKeys) {
  start();
  RawClient c = client();
  EXPECT_EQ(c.ask(kGet).status, 200);
  ASSERT_EQ(SSL_version(c.tls()), TLS1_3_VERSION);
  ASSERT_EQ(SSL_key_update(c.tls(), SSL_KEY_UPDATE_REQUESTED), 1);
  EXPECT_EQ(c.ask(kGet).status, 200);
  EXPECT_EQ(c.ask(kGet).status, 200);
}

TEST_F(TlsTest, SaysThatNothingIsMissing) {
  options_.idle_deadline = milliseconds(100);
  start();
  RawClient asked = client();
  EXPECT_EQ(asked.ask("GET /ok HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").status, 200);
  EXPECT_TRUE(asked.ended_properly());
  RawClient idle = client();
  EXPECT_EQ(idle.ask(kGet).status, 200);
  EXPECT_TRUE(idle.ended_properly());
  // The one answer whose end only the connection can tell.
  RawClient whole = client();
  whole.send("GET /words/all HTTP/1.0\r\n\r\n");
  EXPECT_THAT(whole.receive_rest(), HasSubstr("words words words "));
  EXPECT_TRUE(whole.ended_properly());
  RawClient cut = client();
  cut.send("GET /words/cut HTTP/1.0\r\n\r\n");
  EXPECT_THAT(cut.receive_rest(), HasSubstr("words words words "));
  EXPECT_FALSE(cut.ended_properly());
}

TEST_F(TlsTest, ChangesItsCertificateWithoutDroppingConnections) {
  start();
  RawClient open = client();
  EXPECT_EQ(open.ask(kGet).status, 200);
  const test::Certificate next(test::KeyKind::rsa);
  server_->renew_tls(identity_of(next));
  RawClient fresh = client();
  EXPECT_EQ(fresh.ask(kGet).status, 200);
  EXPECT_NE(shown_certificate(fresh), shown_certificate(open));
  EXPECT_EQ(open.ask(kGet).status, 200);
  EXPECT_EQ(server_->counters().connections_open, 2U);
}

}  // namespace
}  // namespace collect::net
