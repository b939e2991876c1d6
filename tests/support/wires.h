// SPDX-License-Identifier: Apache-2.0
// What holds for a server holds over both: suites take the wire as their parameter.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "net/raw_client_for_test.h"
#include "net/tls.h"
#include "support/certificate.h"

namespace collect::net {

inline std::shared_ptr<const TlsIdentity> identity_of(const test::Certificate& certificate) {
  auto identity = TlsIdentity::load(certificate.cert(), certificate.key());
  EXPECT_TRUE(identity.ok()) << identity.failure().message;
  return identity.ok() ? *identity : nullptr;
}

inline std::shared_ptr<const TlsIdentity> identity_for(Wire wire) {
  if (wire == Wire::plain) return nullptr;
  static const std::shared_ptr<const TlsIdentity> identity = identity_of(test::Certificate());
  return identity;
}

inline std::string wire_name(const testing::TestParamInfo<Wire>& wire) {
  return wire.param == Wire::plain ? "Plain" : "Tls";
}

}  // namespace collect::net
