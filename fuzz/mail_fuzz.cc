// SPDX-License-Identifier: Apache-2.0
// net/mail: addresses, and mails with whatever a change says in them.
#include <string>

#include "base/hash.h"
#include "fuzz/fuzz.h"
#include "net/mail.h"

namespace collect::fuzz {
namespace {

// RFC 2045 section 6.7, as a reader undoes it.
std::string from_quoted_printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c != '=') {
      out += c;
    } else if (text.starts_with("\r\n")) {
      text.remove_prefix(2);
    } else {
      const auto byte = from_hex(text.substr(0, 2));
      hold(byte.has_value(), "a '=' stands before two digits or at the end of a line");
      out += *byte;
      text.remove_prefix(2);
    }
  }
  return out;
}

std::string with_crlf(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(c == '\n' ? "\r\n" : std::string(1, c));
  return out;
}

// Off the front, up to and with `mark`.
std::string_view cut(std::string_view& text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  hold(at != std::string_view::npos, "a mail has all its parts");
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at + mark.size());
  return part;
}

void hold_lines(std::string_view mail) {
  while (!mail.empty()) {
    const std::string_view line = cut(mail, "\r\n");
    hold(line.size() <= 998, "no line is too long");
    for (const char c : line) hold((c >= 0x20 && c < 0x7F) || c == '\t', "a mail is ASCII, line by line");
  }
}

// "From", "To", … in their order.
std::string names_of(std::string_view head) {
  std::string names;
  for (std::string_view rest = head; !rest.empty();) {
    const std::size_t end = std::min(rest.find("\r\n"), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.size(), end + 2));
    if (!line.starts_with(' ')) names.append(line.substr(0, line.find(':'))).append(" ");
  }
  return names;
}

}  // namespace

// The first line: an address; the second: a subject; then the text.
void run(std::string_view input) {
  const std::string_view address = take_part(input, '\n');
  const auto mailbox = net::parse_mailbox(address);
  if (mailbox) {
    hold(mailbox->address.find('@') != std::string::npos && mailbox->address.find('\r') == std::string::npos,
         "an address is one");
    const auto bare = net::parse_mailbox(mailbox->address);
    hold(bare.ok() && bare->address == mailbox->address && bare->name.empty(),
         "an address alone is one, too");
    const auto again = net::parse_mailbox(mailbox->name + " <" + mailbox->address + ">");
    hold(again.ok() && again->address == mailbox->address, "an address is read as it was written");
  }
  net::Mail mail;
  mail.from = {"Collect", "collect@example.org"};
  mail.to = {mailbox.ok() ? *mailbox : net::Mailbox{std::string(address), "a@example.org"}};
  mail.subject = take_part(input, '\n');
  mail.id = "id-1";
  mail.plain = input;
  mail.html = "<p>" + std::string(input) + "</p>";
  const std::string text = net::compose(mail);
  hold_lines(text);

  std::string_view rest = text;
  hold(names_of(cut(rest, "\r\n\r\n")) ==
           "From To Subject Date Message-ID Auto-Submitted MIME-Version Content-Type ",
       "no text makes a header");
  hold(cut(rest, "--=_collect_=\r\n").empty(), "the first part comes first");
  cut(rest, "\r\n\r\n");
  hold(from_quoted_printable(cut(rest, "\r\n--=_collect_=\r\n")) == with_crlf(mail.plain),
       "the text is read as it was written");
  cut(rest, "\r\n\r\n");
  hold(from_quoted_printable(cut(rest, "\r\n--=_collect_=--\r\n")) == with_crlf(mail.html),
       "and so is the other");
  hold(rest.empty(), "and nothing follows");
}

}  // namespace collect::fuzz
