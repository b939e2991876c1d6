// SPDX-License-Identifier: Apache-2.0
#include "net/transport.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>

#include <array>
#include <new>
#include <string>

namespace collect::net {
namespace {

// As much as one record holds (RFC 8446 section 5.1).
constexpr std::size_t kRecord = 16384;
constexpr std::string_view kSpeakTls = "expected TLS (https://) at this address, got a plain request\n";

int send_quietly(BIO* bio, const char* bytes, int size) {
  int socket = -1;
  BIO_get_fd(bio, &socket);
  BIO_clear_retry_flags(bio);
  const auto sent = ::send(socket, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && BIO_sock_should_retry(-1) != 0) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

const BIO_METHOD* quiet_method() {
  static const BIO_METHOD* const method = [] {
    const BIO_METHOD* usual = BIO_s_socket();
    BIO_METHOD* own = BIO_meth_new(BIO_TYPE_SOCKET, "socket without SIGPIPE");
    if (own == nullptr) throw std::bad_alloc();
    BIO_meth_set_write(own, &send_quietly);
    BIO_meth_set_read(own, BIO_meth_get_read(usual));
    BIO_meth_set_puts(own, BIO_meth_get_puts(usual));
    BIO_meth_set_ctrl(own, BIO_meth_get_ctrl(usual));
    BIO_meth_set_create(own, BIO_meth_get_create(usual));
    BIO_meth_set_destroy(own, BIO_meth_get_destroy(usual));
    return own;
  }();
  return method;
}

}  // namespace

BIO* quiet_socket(int socket) {
  BIO* bio = BIO_new(quiet_method());
  if (bio != nullptr) BIO_set_fd(bio, socket, BIO_NOCLOSE);
  return bio;
}

Transport::Transport(Socket socket, const TlsIdentity* identity) : socket_(std::move(socket)) {
  if (identity == nullptr) return;
  tls_.reset(SSL_new(identity->context()));
  BIO* bio = quiet_socket(socket_.native_handle());
  if (!tls_ || bio == nullptr) throw std::bad_alloc();
  SSL_set_bio(tls_.get(), bio, bio);
  SSL_set_accept_state(tls_.get());
}

std::size_t Transport::read_tls(char* to, std::size_t size, Error& error) {
  ERR_clear_error();
  std::size_t got = 0;
  const int outcome = SSL_read_ex(tls_.get(), to, size, &got);
  const int kind = SSL_get_error(tls_.get(), outcome);
  read_needs_write_ = kind == SSL_ERROR_WANT_WRITE;
  error = error_of(kind);
  return error ? 0 : got;
}

// A head and a short body go out as one record: two would be two packets, and twice the work.
std::size_t Transport::write_tls(std::string_view first, std::string_view second, Error& error) {
  if (first.empty()) return write_record(second, error);
  if (second.empty() || first.size() + second.size() > kRecord) return write_record(first, error);
  std::string both;
  both.reserve(first.size() + second.size());
  both.append(first).append(second);
  return write_record(both, error);
}

std::size_t Transport::write_record(std::string_view bytes, Error& error) {
  error = Error();
  if (bytes.empty()) return 0;
  ERR_clear_error();
  std::size_t put = 0;
  const int outcome = SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &put);
  const int kind = SSL_get_error(tls_.get(), outcome);
  write_needs_read_ = kind == SSL_ERROR_WANT_READ;
  error = error_of(kind);
  return error ? 0 : put;
}

Transport::Error Transport::error_of(int kind) {
  // Asked each time, because OpenSSL forgets it when the connection breaks.
  agreed_ = agreed_ || SSL_is_init_finished(tls_.get()) != 0;
  if (kind == SSL_ERROR_NONE) return {};
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return boost::asio::error::would_block;
  if (kind == SSL_ERROR_ZERO_RETURN) return boost::asio::error::eof;
  const auto problem = ERR_peek_error();
  const int reason = ERR_GET_REASON(problem);
  // Ended without saying so: what was announced and did not come is missed by those who count it.
  if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING && agreed_) return boost::asio::error::eof;
  if (kind == SSL_ERROR_SSL) {
    const char* words = ERR_reason_error_string(problem);
    tls_problem_ = words != nullptr ? words : "unknown";
    if (reason == SSL_R_HTTP_REQUEST) answer_plain_request();
  }
  return boost::asio::error::connection_reset;
}

// What the client sent is read first: closing a socket with unread input resets the connection, and the reset
// can overtake the answer.
void Transport::answer_plain_request() {
  std::array<char, std::size_t{64} * 1024> unread{};
  Error error;
  socket_.read_some(boost::asio::buffer(unread), error);
  const std::string answer = fmt::format(
      "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: "
      "close\r\n\r\n"
      "{}",
      kSpeakTls.size(), kSpeakTls);
  socket_.write_some(boost::asio::buffer(answer), error);
  socket_.shutdown(Socket::shutdown_send, error);
}

void Transport::shut_down_sending() {
  if (tls_ && tls_problem_.empty() && !in_handshake()) {
    ERR_clear_error();
    SSL_shutdown(tls_.get());
    ERR_clear_error();
  }
  Error ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

}  // namespace collect::net
