// SPDX-License-Identifier: Apache-2.0
// net/gate: the head of a request, as a whole and as it trickles in.
#include <algorithm>
#include <string>

#include "fuzz/fuzz.h"
#include "net/gate.h"

namespace collect::fuzz {
namespace {

using net::HeadScanner;
using net::RequestHead;

constexpr std::size_t kLimit = 16 * 1024;

// Where the head begins and ends, when `step` bytes arrive at once.
HeadScanner::Outcome scan_in_steps(std::string_view input, std::size_t step) {
  HeadScanner scanner(kLimit);
  for (std::size_t size = std::min(step, input.size()); size < input.size(); size += step) {
    auto outcome = scanner.scan(input.substr(0, size));
    if (!std::holds_alternative<HeadScanner::Incomplete>(outcome)) return outcome;
  }
  return scanner.scan(input);
}

void hold_same(const HeadScanner::Outcome& whole, const HeadScanner::Outcome& parts) {
  hold(whole.index() == parts.index(), "a head that trickles in is judged like one that comes at once");
  if (const auto* complete = std::get_if<HeadScanner::Complete>(&whole)) {
    const auto& other = std::get<HeadScanner::Complete>(parts);
    hold(complete->begin == other.begin && complete->end == other.end,
         "a head that trickles in has the same bounds");
  }
}

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  });
}

std::size_t fields_named(const RequestHead& head, std::string_view name) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < head.headers.size(); ++i) {
    if (net::equal_ignoring_case(head.headers.name(i), name)) ++count;
  }
  return count;
}

void hold_unambiguous(const RequestHead& head) {
  hold(net::is_token(head.method_text), "a method is a token");
  hold(head.path.starts_with('/') || head.path == "*", "a path begins with a slash");
  hold(head.path.find('?') == std::string::npos, "a path has no query");
  hold(head.headers.size() <= net::kMaxFields, "there are not too many fields");
  hold(fields_named(head, "host") <= 1, "there is one Host");
  hold(head.http_minor == 0 || fields_named(head, "host") == 1, "HTTP/1.1 names its host");
  hold(fields_named(head, "content-length") == (head.content_length ? 1 : 0), "one length or none");
  hold(fields_named(head, "transfer-encoding") == (head.chunked ? 1 : 0), "chunked or nothing");
  hold(!(head.chunked && head.content_length), "a body has one framing");
  hold(fields_named(head, "authorization") <= 1, "there is one Authorization");
  for (std::size_t i = 0; i < head.headers.size(); ++i) {
    hold(net::is_token(head.headers.name(i)), "a field's name is a token");
    const std::string_view value = head.headers.value(i);
    hold(is_plain(value), "a field's value has no control characters");
    hold(value.empty() || (value.front() > ' ' || static_cast<unsigned char>(value.front()) >= 0x80),
         "a field's value is trimmed");
  }
}

// The head written as plainly as can be.
std::string written(const RequestHead& head) {
  std::string out = head.method_text + " " + head.path;
  if (!head.query.empty()) out += "?" + head.query;
  out += head.http_minor == 1 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n";
  for (std::size_t i = 0; i < head.headers.size(); ++i) {
    out.append(head.headers.name(i)).append(": ").append(head.headers.value(i)).append("\r\n");
  }
  return out + "\r\n";
}

void hold_read_again(const RequestHead& head) {
  const auto again = net::read_head(written(head));
  const auto* same = std::get_if<RequestHead>(&again);
  hold(same != nullptr, "what was read and is written plainly is read again");
  hold(same->method == head.method && same->path == head.path && same->query == head.query &&
           same->http_minor == head.http_minor && same->content_length == head.content_length &&
           same->chunked == head.chunked && same->keep_alive == head.keep_alive &&
           same->expect_continue == head.expect_continue && same->headers.size() == head.headers.size(),
       "what was read and is written plainly means the same");
}

}  // namespace

void run(std::string_view input) {
  const auto whole = HeadScanner(kLimit).scan(input);
  hold_same(whole, scan_in_steps(input, 1));
  hold_same(whole, scan_in_steps(input, 7));
  const auto* complete = std::get_if<HeadScanner::Complete>(&whole);
  if (complete == nullptr) return;
  hold(complete->begin < complete->end && complete->end <= input.size(), "a head lies within its input");
  const auto read = net::read_head(input.substr(complete->begin, complete->end - complete->begin));
  if (const auto* head = std::get_if<RequestHead>(&read)) {
    hold_unambiguous(*head);
    hold_read_again(*head);
  } else {
    const auto& refusal = std::get<net::Refusal>(read);
    hold(refusal.status >= 400 && refusal.status <= 505 && is_plain(refusal.message),
         "a refusal repeats no raw bytes");
  }
}

}  // namespace collect::fuzz
