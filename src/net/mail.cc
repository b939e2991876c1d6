// SPDX-License-Identifier: Apache-2.0
#include "net/mail.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "base/utf8.h"
#include "net/http.h"

namespace collect::net {
namespace {

// Quoted-printable has a '=' only before two digits or at the end of a line, so this stands in no part.
constexpr std::string_view kBoundary = "=_collect_=";
constexpr std::size_t kLine = 76;       // RFC 2045 section 6.7
constexpr std::size_t kWordBytes = 42;  // of text in an encoded word: at most 75 characters (RFC 2047)

bool is_printable(char c) {
  return c >= 0x20 && c <= 0x7E;
}

std::string without_controls(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return out;
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    out += length == 0 ? "\xEF\xBF\xBD" : text.substr(i, length);
    i += std::max<std::size_t>(1, length);
  }
  return out;
}

// A header's text: as it is where a line of ASCII can hold it, else as encoded words, one a line.
std::string header_text(std::string_view text) {
  const std::string clean = valid_utf8(without_controls(text));
  const bool plain = clean.size() <= kLine - 10 && std::all_of(clean.begin(), clean.end(), &is_printable) &&
                     clean.find("=?") == std::string::npos;
  if (plain) return clean;
  std::string out;
  for (std::size_t i = 0; i < clean.size();) {
    std::size_t end = i;
    while (end < clean.size() && end + utf8_length(std::string_view(clean).substr(end)) - i <= kWordBytes)
      end += utf8_length(std::string_view(clean).substr(end));
    out += fmt::format("{}=?UTF-8?B?{}?=", out.empty() ? "" : "\r\n ", to_base64(clean.substr(i, end - i)));
    i = end;
  }
  return out;
}

std::string mailbox_text(const Mailbox& mailbox) {
  if (mailbox.name.empty()) return mailbox.address;
  std::string name = header_text(mailbox.name);
  if (!name.starts_with("=?")) {
    std::string quoted;
    for (const char c : name) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    name = '"' + quoted + '"';
  }
  return fmt::format("{} <{}>", name, mailbox.address);
}

std::string mail_date(Time time) {
  // HTTP's form differs only in how it says UTC.
  std::string text = http_date(time);
  return text.replace(text.size() - 3, 3, "+0000");
}

std::string quoted_printable(std::string_view text) {
  std::string out;
  std::size_t column = 0;
  const auto put = [&](std::string_view piece) {
    if (column + piece.size() >= kLine) {
      out += "=\r\n";
      column = 0;
    }
    out += piece;
    column += piece.size();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool line_ends = i + 1 == text.size() || text[i + 1] == '\n';
    if (c == '\n') {
      out += "\r\n";
      column = 0;
    } else if (is_printable(c) && c != '=' && !(c == ' ' && line_ends)) {
      put({&text[i], 1});
    } else {
      put(fmt::format("={:02X}", static_cast<unsigned char>(c)));
    }
  }
  return out;
}

std::string part(std::string_view type, std::string_view text) {
  return fmt::format(
      "--{}\r\nContent-Type: text/{}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
      "{}\r\n",
      kBoundary, type, quoted_printable(text));
}

}  // namespace

Result<Mailbox> parse_mailbox(std::string_view text) {
  Mailbox mailbox{"", std::string(text)};
  if (text.ends_with('>')) {
    const auto open = text.rfind('<');
    if (open != std::string_view::npos) {
      mailbox.address = text.substr(open + 1, text.size() - open - 2);
      const auto name = text.substr(0, open);
      mailbox.name = name.substr(0, name.find_last_not_of(' ') + 1);
    }
  }
  const auto& address = mailbox.address;
  const auto at = address.find('@');
  const bool right =
      at != std::string::npos && at > 0 && at + 1 < address.size() && address.size() <= 254 &&
      address.find('@', at + 1) == std::string::npos &&
      std::all_of(address.begin(), address.end(), [](char c) {
        return is_printable(c) && std::string_view(" <>()[]\\,;:\"").find(c) == std::string::npos;
      });
  if (!right || mailbox.name != without_controls(mailbox.name))
    return invalid("expected an address like user@example.org or Name <user@example.org>, got " +
                   shown(text));
  return mailbox;
}

std::string compose(const Mail& mail) {
  std::string to;
  for (const Mailbox& mailbox : mail.to) to += (to.empty() ? "" : ",\r\n ") + mailbox_text(mailbox);
  const auto domain = mail.from.address.substr(mail.from.address.find('@') + 1);
  std::string out;
  out += fmt::format("From: {}\r\nTo: {}\r\nSubject: {}\r\n", mailbox_text(mail.from), to,
                     header_text(mail.subject));
  out += fmt::format("Date: {}\r\nMessage-ID: <{}@{}>\r\n", mail_date(mail.date), mail.id, domain);
  // RFC 3834: nobody's holiday notice comes back.
  out += "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n";
  out += fmt::format("Content-Type: multipart/alternative; boundary=\"{}\"\r\n\r\n", kBoundary);
  out += part("plain", mail.plain) + part("html", mail.html);
  return out + fmt::format("--{}--\r\n", kBoundary);
}

}  // namespace collect::net
