// SPDX-License-Identifier: Apache-2.0
#include "net/smtp_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "net/curl_handle.h"
#include "net/excerpt.h"

namespace collect::net {
namespace {

struct Outgoing {
  std::string_view rest;
};

std::size_t give_bytes(char* buffer, std::size_t size, std::size_t count, void* source) {
  auto& rest = static_cast<Outgoing*>(source)->rest;
  const std::size_t bytes = std::min(size * count, rest.size());
  std::memcpy(buffer, rest.data(), bytes);
  rest.remove_prefix(bytes);
  return bytes;
}

// What the server said, line by line, since the mail began.
struct Dialogue {
  std::string last;
  std::string refused;    // the last 4xx or 5xx
  std::string recipient;  // the last of these that is about a mailbox
};

std::size_t hear_line(const char* data, std::size_t size, std::size_t count, void* target) {
  auto& dialogue = *static_cast<Dialogue*>(target);
  std::string_view line(data, size * count);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  dialogue.last = line;
  if (line.starts_with('4') || line.starts_with('5')) dialogue.refused = line;
  // Others, such as 502 to a first EHLO, are no news once the mail is through.
  if (line.starts_with("45") || line.starts_with("55")) dialogue.recipient = line;
  return size * count;
}

// What has nothing to do with the one mail: another day the server may take it. A reply that libcurl did not
// wait for is about the mail only once the mail was handed over.
bool is_about_the_server(CURLcode code, bool handed_over) {
  switch (code) {
    case CURLE_LOGIN_DENIED:
    case CURLE_USE_SSL_FAILED:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
      return true;
    case CURLE_WEIRD_SERVER_REPLY:
      return !handed_over;
    default:
      return false;
  }
}

Failure failure_of(const SmtpServer& server, CURLcode code, long reply, const Dialogue& dialogue,
                   bool handed_over, const std::string& error) {
  const bool permanent = reply >= 500 && reply <= 599 && !is_about_the_server(code, handed_over);
  const auto message =
      fmt::format("SMTP server {}:{}: {}{}", server.host, server.port, error,
                  dialogue.refused.empty() ? "" : " (it said " + excerpt(dialogue.refused) + ")");
  return permanent ? invalid(message) : unavailable(message);
}

void prepare(CurlHandle& curl, const SmtpServer& server, const std::string& from, const CurlList& to) {
  curl.reset(server.ca_file);
  curl.set_timeouts(server.timeout, server.timeout);  // connecting lasts until the log-in, for libcurl
  const bool tls = server.security == SmtpSecurity::tls;
  const auto host = server.host.find(':') == std::string::npos ? server.host : "[" + server.host + "]";
  curl.set(CURLOPT_URL, fmt::format("{}://{}:{}", tls ? "smtps" : "smtp", host, server.port).c_str());
  curl.set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  const bool plain = server.security == SmtpSecurity::none;
  curl.set(CURLOPT_USE_SSL, static_cast<long>(plain ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  if (!server.username.empty()) {
    curl.set(CURLOPT_USERNAME, server.username.c_str());
    curl.set(CURLOPT_PASSWORD, server.password.c_str());
  }
  curl.set(CURLOPT_MAIL_FROM, from.c_str());
  curl.set(CURLOPT_MAIL_RCPT, to.get());
  // One address that is gone must not keep the mail from all others.
  curl.set(CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
}

}  // namespace

Result<std::string> send_mail(const SmtpServer& server, const Envelope& envelope, const std::string& mail) {
  CurlList to;
  for (const auto& address : envelope.to) to.add("<" + address + ">");
  CurlHandle curl;
  prepare(curl, server, "<" + envelope.from + ">", to);
  Outgoing outgoing{mail};
  Dialogue dialogue;
  curl.set(CURLOPT_UPLOAD, 1L);
  curl.set(CURLOPT_READFUNCTION, &give_bytes);
  curl.set(CURLOPT_READDATA, &outgoing);
  curl.set(CURLOPT_HEADERFUNCTION, &hear_line);
  curl.set(CURLOPT_HEADERDATA, &dialogue);
  const CURLcode code = curl.perform();
  long reply = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &reply);
  if (code != CURLE_OK)
    return failure_of(server, code, reply, dialogue, outgoing.rest.empty(), curl.error(code));
  if (dialogue.recipient.empty()) return excerpt(dialogue.last);
  return fmt::format("{}, but not for everybody: {}", excerpt(dialogue.last), excerpt(dialogue.recipient));
}

}  // namespace collect::net
