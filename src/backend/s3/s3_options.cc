// SPDX-License-Identifier: Apache-2.0
#include "backend/s3/s3_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "net/tls.h"

namespace collect::s3 {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

bool is_address(const boost::urls::url_view& url) {
  return url.host_type() != boost::urls::host_type::name;
}

bool is_loopback(const boost::urls::url_view& url) {
  const std::string host = lower(std::string(url.host()));
  if (url.host_type() == boost::urls::host_type::ipv4) return url.host_ipv4_address().is_loopback();
  if (url.host_type() == boost::urls::host_type::ipv6) return url.host_ipv6_address().is_loopback();
  return host == "localhost" || host.ends_with(".localhost");
}

}  // namespace

Result<S3Options> s3_options(const Settings& settings) {
  const auto url = boost::urls::parse_uri(settings.s3_endpoint);
  const bool plain = url && (url->scheme() == "http" || url->scheme() == "https") && !url->host().empty() &&
                     !url->has_userinfo() && !url->has_query() && !url->has_fragment() &&
                     (url->encoded_path().empty() || url->encoded_path() == "/");
  if (!plain) return invalid("S3_ENDPOINT: expected https://host or https://host:port and nothing after it");
  const bool secure = url->scheme() == "https";
  if (!secure && !settings.backup_s3_allow_insecure && !is_loopback(*url)) {
    return invalid(
        "S3_ENDPOINT: plain http would send backups readable over the network; use https, or set "
        "BACKUP_S3_ALLOW_INSECURE=true");
  }
  if (is_address(*url) && !settings.backup_s3_use_path_style) {
    return invalid(
        "S3_ENDPOINT is an address, in front of which no bucket can stand: set "
        "BACKUP_S3_USE_PATH_STYLE=true");
  }
  if (!settings.backup_s3_ca_file.empty()) {
    const auto checked = net::check_authorities("BACKUP_S3_CA_FILE", settings.backup_s3_ca_file);
    if (!checked) return checked.failure();
  }
  S3Options options;
  options.scheme = secure ? "https" : "http";
  options.sign_payloads = !secure && !is_loopback(*url);
  options.host = lower(std::string(url->encoded_host()));
  const std::string port(url->port());
  if (!port.empty() && port != (secure ? "443" : "80")) options.host += ":" + port;
  options.bucket = settings.backup_s3_bucket;
  options.path_style = settings.backup_s3_use_path_style;
  options.ca_file = settings.backup_s3_ca_file;
  options.credentials = {settings.s3_access_key, settings.s3_secret_key, settings.backup_s3_region};
  options.server_side_encryption = settings.backup_s3_encryption;
  return options;
}

}  // namespace collect::s3
