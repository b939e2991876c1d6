// SPDX-License-Identifier: Apache-2.0
// A mail as a value, and as the text that goes over the wire (RFC 5322, MIME). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace collect::net {

struct Mailbox {
  std::string name;     // empty: none
  std::string address;  // user@host, ASCII
  bool operator==(const Mailbox&) const = default;
};
// "user@host" or "Name <user@host>". `invalid` when it is neither.
Result<Mailbox> parse_mailbox(std::string_view text);

struct Mail {
  Mailbox from;
  std::vector<Mailbox> to;
  std::string subject;
  std::string id;  // what stands before the @ of the Message-ID; letters, digits and '-'
  Time date{};
  std::string plain;
  std::string html;
};

// Header and body with CRLF at the ends of lines, ASCII only, no line longer than 998 bytes. Whatever the
// texts hold, they end no header and no part.
std::string compose(const Mail& mail);

}  // namespace collect::net
