// SPDX-License-Identifier: Apache-2.0
// The certificate at the door, as TLS_CERT_FILE and TLS_KEY_FILE name it.
#pragma once

#include <chrono>
#include <memory>

#include "base/clock.h"
#include "base/settings.h"
#include "net/tls.h"

namespace collect::app {

// When less than this is left, somebody should look why it was not renewed.
inline constexpr std::chrono::days kCertificateEndsSoon{14};

// nullptr: the settings ask for plain HTTP. `invalid` names the file and what is wrong with it.
Result<std::shared_ptr<const net::TlsIdentity>> load_certificate(const Settings& settings);
// The same for a service: what was loaded is in the log, as a warning when it ends soon.
Result<std::shared_ptr<const net::TlsIdentity>> load_service_certificate(const Settings& settings, Time now);

}  // namespace collect::app
