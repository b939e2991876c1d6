// SPDX-License-Identifier: Apache-2.0
// HTTP requests and answers as values: plain data that handlers take and give and that tests can make up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/byte_source.h"

namespace collect::net {

enum class Method : std::uint8_t { get, head, post, put, delete_, other };
Method method_of(std::string_view text);
std::string_view to_string(Method method);

struct Header {
  std::string name, value;
};

// Two texts, letters A-Z and a-z alike.
bool equal_ignoring_case(std::string_view a, std::string_view b);

// A request's header fields in the order in which they came, held in one block of memory.
class HeaderList {
 public:
  void reserve(std::size_t fields, std::size_t bytes);
  void add(std::string_view name, std::string_view value);
  // The first field of that name in any case, or nothing.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  [[nodiscard]] std::size_t size() const { return fields_.size(); }
  [[nodiscard]] std::string_view name(std::size_t i) const;
  [[nodiscard]] std::string_view value(std::size_t i) const;

 private:
  struct Field {
    std::uint32_t at, name_size, value_size;
  };
  std::string text_;
  std::vector<Field> fields_;
};

// A request's head after the gate (net/gate.h) let it through.
struct RequestHead {
  Method method = Method::get;
  std::string method_text = "GET";
  std::string path;    // as it came: not percent-decoded, not normalized, without the query
  std::string query;   // what follows the first '?', as it came
  int http_minor = 1;  // HTTP/1.<minor>
  HeaderList headers;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;           // what the client asked for
  bool expect_continue = false;     // the client waits for 100 before it sends the body
  std::string peer_address;         // the other end of the TCP connection, without the port
  std::string request_id;           // ours; answered as X-Request-Id
  std::vector<std::string> params;  // what each {…} of the route matched, percent-decoded
  std::string_view route;           // the pattern that matched; lives as long as the router
  Time received_at{};               // when the head was complete

  // Empty when there is none; names in any case.
  [[nodiscard]] std::string_view header(std::string_view name) const {
    return headers.find(name).value_or("");
  }
  [[nodiscard]] bool has_header(std::string_view name) const { return headers.find(name).has_value(); }
};

struct Request : RequestHead {
  std::string body;  // as it came (Content-Encoding is the handler's business), without the chunks' framing
  // With BodyUse::stream instead of `body`: its content_length bytes as they come, for as long as the handler
  // runs. The client is asked for them (100 Continue) when the first are read, and waits while nobody reads.
  // A failure (`invalid`) means that it was cut off or too slow; the server answers it then.
  ByteSource* stream = nullptr;
};

inline constexpr std::string_view kJson = "application/json; charset=utf-8";

// Response::source_bytes of a source whose size nobody knows before its end: sent in chunks (RFC 9112 section
// 7.1), to HTTP/1.0 clients until the connection closes.
inline constexpr std::uint64_t kUntilItEnds = std::numeric_limits<std::uint64_t>::max();

// The server adds Date, Content-Length, Connection, X-Request-Id, X-Content-Type-Options and, unless given
// here, Cache-Control: no-store. Those it owns are ignored here, as is any header whose name is no HTTP
// token; control characters in values are sent as spaces, so that no value can start a header of its own.
struct Response {
  int status = 200;
  std::vector<Header> headers;
  std::string content_type{kJson};  // empty: none is sent
  std::string body;                 // not sent with 204 and 304
  // Only from endpoints with BodyUse::stream: the body instead of `body`. One that fails before its first
  // byte becomes a 503; later the connection is closed, so that the client sees that bytes are missing.
  std::shared_ptr<ByteSource> source;
  std::uint64_t source_bytes = 0;  // that it must give; more are not asked for. Or kUntilItEnds

  Response& with(std::string name, std::string value) &;
  Response&& with(std::string name, std::string value) &&;
};

// {"code": status, "message": message, "data": data_json}. `data_json` must be JSON.
Response envelope(int status, std::string_view message, std::string_view data_json = "null");
// 503 with a jittered Retry-After: what to answer when a queue, a pool or a server behind is full or away.
Response try_again_later(std::string_view message);
// 1 to 5, so that those who were refused together do not come back together. Thread-safe.
unsigned jittered_seconds();

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7).
std::string http_date(Time time);

// `text` for a message: at most 64 bytes, everything but printable ASCII as \xNN.
std::string shown(std::string_view text);

// The bytes of %XX; nothing when one is malformed.
std::optional<std::string> percent_decoded(std::string_view text);
// A token as in RFC 9110 section 5.6.2: what methods and header names are made of.
bool is_token_char(char c);
bool is_token(std::string_view text);

// What the connection knows and the handler does not.
struct Framing {
  std::string_view request_id;
  std::string_view date;
  int http_minor = 1;  // the client's
  bool keep_alive = true;
};
// Status line and header fields with the empty line after them.
void append_head(std::string& out, const Response& response, const Framing& framing);
bool status_has_body(int status);

}  // namespace collect::net
