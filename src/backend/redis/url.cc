// SPDX-License-Identifier: Apache-2.0
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>

#include "backend/redis/connection.h"

namespace collect::redis {
namespace {

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

Failure no_database() {
  return invalid("the Redis URL's database has to be a number from 0");
}

}  // namespace

Result<ConnectionOptions> parse_url(std::string_view url, int default_database) {
  const auto parsed = boost::urls::parse_uri({url.data(), url.size()});
  if (!parsed)
    return invalid("the Redis URL is no URL, expected redis://[user:password@]host[:port][/database]");
  const boost::urls::url_view& view = *parsed;
  ConnectionOptions options;
  options.database = default_database;
  if (view.has_userinfo()) {
    const std::string user = view.user();
    // "redis://secret@host" is how some write a password alone.
    options.password = view.has_password() ? view.password() : user;
    options.user = view.has_password() ? user : std::string();
  }
  const std::string path = view.path();
  if (view.scheme() == "unix") {
    if (path.empty() || path == "/")
      return invalid("the Redis URL names no socket, expected unix:///path/to/socket");
    options.unix_socket = path;
    for (const auto& parameter : view.params()) {
      if (parameter.key != "db") continue;
      const auto database = number_in<int>(parameter.value);
      if (!database) return no_database();
      options.database = *database;
    }
    return options;
  }
  if (view.scheme() == "rediss") {
    return invalid(
        "the Redis URL asks for TLS (rediss), which needs a tunnel in front: use redis:// or unix://");
  }
  if (view.scheme() != "redis") return invalid("the Redis URL has to start with redis:// or unix://");
  options.host = view.host_address();
  if (options.host.empty()) return invalid("the Redis URL names no host");
  if (const std::string_view port = view.port(); !port.empty()) {
    const auto number = number_in<std::uint16_t>(port);
    if (!number || *number == 0) return invalid("the Redis URL's port has to be a number from 1 to 65535");
    options.port = *number;
  }
  if (path.size() > 1) {
    const auto database = number_in<int>(std::string_view(path).substr(1));
    if (!database) return no_database();
    options.database = *database;
  }
  return options;
}

}  // namespace collect::redis
