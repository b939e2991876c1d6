// SPDX-License-Identifier: Apache-2.0
#include "app/certificate.h"

#include "base/log.h"

namespace collect::app {

Result<std::shared_ptr<const net::TlsIdentity>> load_certificate(const Settings& settings) {
  if (settings.tls_cert_file.empty()) return std::shared_ptr<const net::TlsIdentity>();
  return net::TlsIdentity::load(settings.tls_cert_file, settings.tls_key_file);
}

Result<std::shared_ptr<const net::TlsIdentity>> load_service_certificate(const Settings& settings, Time now) {
  auto loaded = load_certificate(settings);
  if (!loaded || *loaded == nullptr) return loaded;
  const Time ends_at = (*loaded)->ends_at();
  const log::Level level = ends_at < now + kCertificateEndsSoon ? log::Level::warn : log::Level::info;
  log::write(level, "certificate_loaded",
             {{"file", settings.tls_cert_file}, {"ends_at", to_rfc3339(ends_at)}});
  return loaded;
}

}  // namespace collect::app
