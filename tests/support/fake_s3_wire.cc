// SPDX-License-Identifier: Apache-2.0
#include "support/fake_s3_wire.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace collect::test {
namespace {

constexpr std::size_t kRoom = 65536;

}  // namespace

TlsContext tls_context(const std::string& certificate_file, const std::string& key_file) {
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    throw std::runtime_error("the fake S3 cannot take its certificate");
  }
  // Several records with one call.
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context.get(), kRoom);
  return context;
}

FakeS3Wire::FakeS3Wire(int socket, SSL_CTX* context) : socket_(socket) {
  if (context == nullptr) return;
  tls_.reset(SSL_new(context));
  SSL_set_fd(tls_.get(), socket);
}

bool FakeS3Wire::agree() {
  return !tls_ || SSL_accept(tls_.get()) == 1;
}

bool FakeS3Wire::receive(std::string& buffer) {
  std::array<char, kRoom> chunk{};
  const ssize_t got = tls_ ? SSL_read(tls_.get(), chunk.data(), chunk.size())
                           : ::recv(socket_, chunk.data(), chunk.size(), 0);
  if (got <= 0) return false;
  buffer.append(chunk.data(), static_cast<std::size_t>(got));
  return true;
}

bool FakeS3Wire::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t size = std::min<std::size_t>(bytes.size(), 1U << 30U);
    const ssize_t sent = tls_ ? SSL_write(tls_.get(), bytes.data(), static_cast<int>(size))
                              : ::send(socket_, bytes.data(), size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool FakeS3Wire::send_file(int file, std::uint64_t offset, std::uint64_t size) {
  auto at = static_cast<off_t>(offset);
  std::array<char, kRoom> chunk;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled before it is read
  while (size > 0) {
    ssize_t sent = 0;
    if (tls_) {
      sent = ::pread(file, chunk.data(), std::min<std::uint64_t>(size, chunk.size()), at);
      if (sent > 0 && !send({chunk.data(), static_cast<std::size_t>(sent)})) return false;
      at += sent;
    } else {
      sent = ::sendfile(socket_, file, &at, std::min<std::uint64_t>(size, 1U << 20U));
    }
    if (sent <= 0) return false;
    size -= static_cast<std::uint64_t>(sent);
  }
  return true;
}

}  // namespace collect::test
