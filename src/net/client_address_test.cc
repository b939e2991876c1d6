// SPDX-License-Identifier: Apache-2.0
#include "net/client_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace collect::net {
namespace {

std::string client(const std::string& peer, const std::vector<std::string>& forwarded,
                   std::string_view trusted = "127.0.0.1, 10.0.0.0/8,2001:db8::/32") {
  RequestHead head;
  head.peer_address = peer;
  for (const std::string& value : forwarded) head.headers.add("X-FORWARDED-FOR", value);
  return client_address(head, TrustedProxies::parse(trusted).value());
}

TEST(ClientAddress, IsThePeerUnlessThatIsTrusted) {
  EXPECT_EQ(client("192.0.2.1", {}), "192.0.2.1");
  EXPECT_EQ(client("192.0.2.1", {"198.51.100.7"}), "192.0.2.1");
  EXPECT_EQ(client("127.0.0.1", {}), "127.0.0.1");
  EXPECT_EQ(client("127.0.0.1", {"198.51.100.7"}, ""), "127.0.0.1");
  EXPECT_EQ(client("127.0.0.1", {"198.51.100.7"}), "198.51.100.7");
  EXPECT_EQ(client("2001:db8::5", {"2001:db9::1"}), "2001:db9::1");
  EXPECT_EQ(client("::ffff:10.1.2.3", {"198.51.100.7"}), "198.51.100.7");
}

// What the client itself wrote stands to the left of what proxies added.
TEST(ClientAddress, IsTheLastOneThatNoProxyHas) {
  EXPECT_EQ(client("127.0.0.1", {"1.2.3.4, 198.51.100.7 , 10.9.9.9"}), "198.51.100.7");
  EXPECT_EQ(client("127.0.0.1", {"1.2.3.4", "198.51.100.7", "10.9.9.9,10.0.0.1"}), "198.51.100.7");
  EXPECT_EQ(client("127.0.0.1", {"10.0.0.2, 10.0.0.3"}), "10.0.0.2");
}

TEST(ClientAddress, IsAlwaysAnAddress) {
  for (const char* odd : {"unknown", "", "198.51.100.7:4711", "<script>", "fe80::1%eth0", "1.2.3", ","}) {
    EXPECT_EQ(client("127.0.0.1", {odd}), "127.0.0.1") << odd;
  }
  EXPECT_EQ(client("127.0.0.1", {"1.2.3.4, nonsense"}), "127.0.0.1");
}

TEST(ClientAddress, NetworksAreStrict) {
  for (const char* bad : {"10.0.0.0/33", "10.0.0", "example.org", "10.0.0.0/8;1.2.3.4", "2001:db8::/129"}) {
    EXPECT_EQ(TrustedProxies::parse(bad).failure().kind, FailureKind::invalid) << bad;
  }
  EXPECT_TRUE(TrustedProxies::parse(" 10.1.2.3/8 ,").value().contains("10.200.0.1"));
}

}  // namespace
}  // namespace collect::net
