// SPDX-License-Identifier: Apache-2.0
#include "net/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <new>
#include <string_view>
#include <utility>

namespace collect::net {
namespace {

// Forward secrecy and authenticated encryption; TLS 1.3 has nothing else.
constexpr const char* kCiphersOf12 = "ECDHE+AESGCM:ECDHE+CHACHA20";
// RFC 7301: the only protocol that is spoken here, with its length before it.
constexpr std::string_view kHttp11 = "\x08http/1.1";

// Whoever offers only other protocols is served as one that offers none: h2 clients fall back.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  unsigned char* found = nullptr;
  const auto* ours = reinterpret_cast<const unsigned char*>(kHttp11.data());
  if (SSL_select_next_proto(&found, size, ours, kHttp11.size(), offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

// Without this OpenSSL would ask at the terminal.
int no_password(char*, int, int, void*) {
  return -1;
}

void set_up(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, kCiphersOf12);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // Idle connections hold no buffers; writes go on with whatever is left, wherever it lies by then.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  // Clients keep their sessions themselves (tickets).
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(context, &choose_protocol, nullptr);
  SSL_CTX_set_default_passwd_cb(context, &no_password);
}

Result<void> readable(std::string_view setting, const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return invalid(fmt::format("{}: cannot read {}: {}", setting, file, std::strerror(errno)));
  if (in.peek() != std::ifstream::traits_type::eof()) return {};
  return invalid(fmt::format("{}: cannot read {}: it is empty, or no file", setting, file));
}

// Takes OpenSSL's own words along, which name kinds of faults and never contents.
Failure refused(std::string expected) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  if (reason != nullptr) expected += fmt::format(" ({})", reason);
  return invalid(std::move(expected));
}

Time end_of(const X509* certificate) {
  std::tm at{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &at) != 1) return {};
  return Time(std::chrono::seconds(::timegm(&at)));
}

}  // namespace

Result<std::shared_ptr<const TlsIdentity>> TlsIdentity::load(const std::string& certificate_file,
                                                             const std::string& key_file) {
  if (auto can = readable("TLS_CERT_FILE", certificate_file); !can) return can.failure();
  if (auto can = readable("TLS_KEY_FILE", key_file); !can) return can.failure();
  ERR_clear_error();
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  if (context == nullptr) throw std::bad_alloc();
  const std::shared_ptr<TlsIdentity> identity(new TlsIdentity(context));
  set_up(context);
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1) {
    return refused(
        fmt::format("TLS_CERT_FILE: expected certificates in PEM form in {}, the server's own first, and "
                    "found none that can be used",
                    certificate_file));
  }
  const bool taken = SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) == 1;
  const int reason = taken ? 0 : ERR_GET_REASON(ERR_peek_last_error());
  const bool another = taken ? SSL_CTX_check_private_key(context) != 1
                             : reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH;
  if (another) {
    return refused(
        fmt::format("TLS_KEY_FILE: the key in {} does not belong to the certificate in {} (TLS_CERT_FILE)",
                    key_file, certificate_file));
  }
  if (!taken) {
    return refused(
        fmt::format("TLS_KEY_FILE: expected a private key in PEM form without a password in {}", key_file));
  }
  identity->ends_at_ = end_of(SSL_CTX_get0_certificate(context));
  return std::shared_ptr<const TlsIdentity>(identity);
}

TlsIdentity::~TlsIdentity() {
  SSL_CTX_free(context_);
}

Result<void> check_authorities(std::string_view setting, const std::string& file) {
  if (auto checked = readable(setting, file); !checked) return checked;
  const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(), &X509_STORE_free);
  if (store == nullptr) throw std::bad_alloc();
  if (X509_STORE_load_file(store.get(), file.c_str()) == 1) return {};
  return refused(fmt::format("{}: expected certificates in PEM form in {}", setting, file));
}

}  // namespace collect::net
