// SPDX-License-Identifier: Apache-2.0
// Hands a mail to an SMTP server, blocking, over libcurl. Each mail has a connection of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace collect::net {

// none: in the clear. starttls and tls: encrypted, with a certificate that is checked, or not at all.
enum class SmtpSecurity : std::uint8_t { starttls, tls, none };

struct SmtpServer {
  std::string host;
  int port = 587;
  SmtpSecurity security = SmtpSecurity::starttls;
  std::string username;  // empty: no log-in
  std::string password;
  std::string ca_file;                        // PEM; authorities to trust beside the system's; empty: none
  std::chrono::milliseconds timeout{30'000};  // for all of it
};

struct Envelope {
  std::string from;             // addresses
  std::vector<std::string> to;  // at least one
};

// The server's answer to the mail ("250 2.0.0 OK: queued"); where it took the mail for some of the recipients
// only, also what it said of the others. `unavailable`: the server is away, does not offer what `security`
// asks for, refuses the log-in, or says 4xx: later it may do. `invalid`: it refuses this mail with 5xx.
// Messages hold no password. Safe to call from several threads.
Result<std::string> send_mail(const SmtpServer& server, const Envelope& envelope, const std::string& mail);

}  // namespace collect::net
