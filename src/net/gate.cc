// SPDX-License-Identifier: Apache-2.0
#include "net/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

namespace collect::net {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

Refusal bad(std::string message) {
  return {400, std::move(message)};
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Fields that steer framing and identity, counted while the others only pass.
struct Seen {
  int host = 0;
  int authorization = 0;
  int content_length = 0;
  int transfer_encoding = 0;
  bool close = false;
  bool keep_alive = false;
};

std::optional<Refusal> read_version(std::string_view version, RequestHead& head) {
  if (version == "HTTP/1.1") return std::nullopt;
  if (version == "HTTP/1.0") {
    head.http_minor = 0;
    return std::nullopt;
  }
  if (version.size() == 8 && version.starts_with("HTTP/") && version[5] >= '0' && version[5] <= '9') {
    return Refusal{505, fmt::format("expected HTTP/1.1 or HTTP/1.0, got \"{}\"", shown(version))};
  }
  return bad(fmt::format("expected the request line to end in HTTP/1.1, got \"{}\"", shown(version)));
}

std::optional<Refusal> read_target(std::string_view target, RequestHead& head) {
  if (target.size() > kMaxTarget) {
    return Refusal{
        414, fmt::format("expected a request target of at most {} bytes, got {}", kMaxTarget, target.size())};
  }
  for (const char c : target) {
    if (is_control(c) || static_cast<unsigned char>(c) >= 0x80) {
      return bad(fmt::format("expected printable ASCII in the request target, got \"{}\"", shown(target)));
    }
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    const std::size_t path = target.find_first_of("/?", scheme.size());
    target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
    break;
  }
  const std::size_t question = target.find('?');
  head.path = target.substr(0, question);
  if (question != std::string_view::npos) head.query = target.substr(question + 1);
  if (head.path.empty() && question != std::string_view::npos) head.path = "/";
  if (!head.path.starts_with('/') && head.path != "*") {
    return bad(fmt::format("expected a request target that begins with \"/\", got \"{}\"", shown(target)));
  }
  return std::nullopt;
}

std::optional<Refusal> read_request_line(std::string_view line, RequestHead& head) {
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos || second == first + 1) {
    return bad(fmt::format("expected a request line like \"GET /path HTTP/1.1\", got \"{}\"", shown(line)));
  }
  const std::string_view method = line.substr(0, first);
  if (!is_token(method) || method.size() > 32) {
    return bad(fmt::format("expected an HTTP method, got \"{}\"", shown(method)));
  }
  head.method_text = method;
  head.method = method_of(method);
  // The version first: a line of another version may look different altogether.
  if (auto refusal = read_version(line.substr(second + 1), head)) return refusal;
  return read_target(line.substr(first + 1, second - first - 1), head);
}

std::optional<Refusal> read_content_length(std::string_view value, RequestHead& head) {
  std::uint64_t length = 0;
  const char* end = value.data() + value.size();
  // from_chars alone would take what stands before a stray letter.
  const bool digits =
      !value.empty() && std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
  const auto [stop, error] = std::from_chars(value.data(), end, length);
  if (!digits || error != std::errc{} || stop != end) {
    return bad(fmt::format("expected Content-Length to be a number of bytes, got \"{}\"", shown(value)));
  }
  head.content_length = length;
  return std::nullopt;
}

void read_connection(std::string_view value, Seen& seen) {
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    const std::string_view option = trimmed(value.substr(0, comma));
    if (equal_ignoring_case(option, "close")) seen.close = true;
    if (equal_ignoring_case(option, "keep-alive")) seen.keep_alive = true;
    if (comma == std::string_view::npos) return;
    value.remove_prefix(comma + 1);
  }
}

std::optional<Refusal> note_field(std::string_view name, std::string_view value, RequestHead& head,
                                  Seen& seen) {
  if (equal_ignoring_case(name, "host")) {
    if (++seen.host > 1) return bad("expected one Host header, got several");
    if (value.find_first_of(" \t,/@\\") != std::string_view::npos) {
      return bad(fmt::format("expected Host to be a name and perhaps a port, got \"{}\"", shown(value)));
    }
  } else if (equal_ignoring_case(name, "content-length")) {
    if (++seen.content_length > 1) return bad("expected one Content-Length header, got several");
    return read_content_length(value, head);
  } else if (equal_ignoring_case(name, "transfer-encoding")) {
    if (++seen.transfer_encoding > 1) return bad("expected one Transfer-Encoding header, got several");
    if (!equal_ignoring_case(value, "chunked")) {
      return bad(fmt::format("expected Transfer-Encoding to be \"chunked\", got \"{}\"", shown(value)));
    }
    head.chunked = true;
  } else if (equal_ignoring_case(name, "authorization")) {
    if (++seen.authorization > 1) return bad("expected one Authorization header, got several");
  } else if (equal_ignoring_case(name, "connection")) {
    read_connection(value, seen);
  } else if (equal_ignoring_case(name, "expect")) {
    if (!equal_ignoring_case(value, "100-continue")) {
      return Refusal{417, fmt::format("expected Expect to be \"100-continue\", got \"{}\"", shown(value))};
    }
    head.expect_continue = true;
  }
  return std::nullopt;
}

std::optional<Refusal> read_field(std::string_view line, RequestHead& head, Seen& seen) {
  if (line.front() == ' ' || line.front() == '\t') {
    return bad("expected a header on one line, got a folded line (one that begins with white space)");
  }
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos) {
    return bad(
        fmt::format("expected a header like \"Name: value\", got \"{}\" without a colon", shown(line)));
  }
  if (!is_token(name)) {
    return bad(
        fmt::format("expected a header name without white space or separators before the colon, got \"{}\"",
                    shown(name)));
  }
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (std::any_of(value.begin(), value.end(), [](char c) { return is_control(c) && c != '\t'; })) {
    return bad(fmt::format("expected no control characters in the value of header {}", shown(name)));
  }
  if (head.headers.size() == kMaxFields) {
    return Refusal{431, fmt::format("expected at most {} header fields, got more", kMaxFields)};
  }
  head.headers.add(name, value);
  return note_field(name, value, head, seen);
}

std::optional<Refusal> check_whole(RequestHead& head, const Seen& seen) {
  if (head.http_minor == 1 && seen.host == 0) return bad("expected a Host header, got none");
  if (head.chunked && head.content_length) {
    return bad("expected either Content-Length or Transfer-Encoding, got both");
  }
  if (head.chunked && head.http_minor == 0) {
    return bad("expected Content-Length in an HTTP/1.0 request, got Transfer-Encoding");
  }
  head.keep_alive = !seen.close && (head.http_minor == 1 || seen.keep_alive);
  // HTTP/1.0 does not know interim answers.
  if (head.http_minor == 0) head.expect_continue = false;
  return std::nullopt;
}

}  // namespace

HeadScanner::Outcome HeadScanner::scan(std::string_view bytes) {
  if (at_ == 0 && bytes.starts_with("\r")) {
    if (bytes == "\r") return Incomplete{};
    if (bytes[1] == '\n') begin_ = at_ = 2;
  }
  if (at_ == begin_ && bytes.size() > begin_ && !is_token_char(bytes[begin_])) {
    return bad(fmt::format("expected an HTTP request, got \"{}\"", shown(bytes.substr(begin_, 8))));
  }
  for (;;) {
    const std::size_t feed = bytes.find('\n', at_);
    const std::size_t line_size = (feed == std::string_view::npos ? bytes.size() : feed) - at_;
    if (at_ == begin_ && line_size > kMaxTarget + 64) {
      return Refusal{414, fmt::format("expected a request target of at most {} bytes, got more", kMaxTarget)};
    }
    if (std::min(feed, bytes.size()) >= limit_) {
      return Refusal{431, fmt::format("expected a request head of at most {} bytes, got more", limit_)};
    }
    if (feed == std::string_view::npos) return Incomplete{};
    if (line_size == 0 || bytes[feed - 1] != '\r') {
      return bad("expected lines to end in CR LF, got a line feed alone");
    }
    if (line_size == 1) return Complete{begin_, feed + 1};
    at_ = feed + 1;
  }
}

std::variant<RequestHead, Refusal> read_head(std::string_view raw) {
  RequestHead head;
  Seen seen;
  const std::size_t first = raw.find(kLineEnd);
  if (first == std::string_view::npos) return bad("expected a request line, got no line end");
  if (auto refusal = read_request_line(raw.substr(0, first), head)) return *std::move(refusal);
  raw.remove_prefix(first + kLineEnd.size());
  head.headers.reserve(16, raw.size());
  for (;;) {
    const std::size_t end = raw.find(kLineEnd);
    if (end == std::string_view::npos) return bad("expected an empty line after the headers, got none");
    if (end == 0) break;
    if (auto refusal = read_field(raw.substr(0, end), head, seen)) return *std::move(refusal);
    raw.remove_prefix(end + kLineEnd.size());
  }
  if (auto refusal = check_whole(head, seen)) return *std::move(refusal);
  return head;
}

}  // namespace collect::net
