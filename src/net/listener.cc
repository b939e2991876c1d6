// SPDX-License-Identifier: Apache-2.0
#include "net/listener.h"

#include <fmt/format.h>

#include <atomic>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <charconv>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>

#include "base/log.h"
#include "net/connection.h"
#include "net/transport.h"

namespace collect::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::chrono::milliseconds kBackOff{100};

// A place among the open connections, given back unless it is released.
struct GiveBack {
  void operator()(std::atomic<std::uint64_t>* open) const { --*open; }
};
using Place = std::unique_ptr<std::atomic<std::uint64_t>, GiveBack>;

std::string peer_text(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

Failure no_address(std::string_view address) {
  return invalid(
      fmt::format("expected an address like 127.0.0.1:8081 or [::1]:8081, got \"{}\"", shown(address)));
}

}  // namespace

Result<tcp::endpoint> parse_endpoint(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return no_address(address);
  std::string_view host = address.substr(0, colon);
  const std::string_view digits = address.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [stop, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (wrong != std::errc{} || stop != digits.data() + digits.size()) return no_address(address);
  if (host.empty()) return tcp::endpoint(asio::ip::address_v6::any(), port);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (bracketed != (host.find(':') != std::string_view::npos)) return no_address(address);

  boost::system::error_code error;
  const auto literal = asio::ip::make_address(std::string(host), error);
  if (!error) return tcp::endpoint(literal, port);
  asio::io_context io;
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(std::string(host), std::to_string(port), tcp::resolver::passive, error);
  if (error || found.empty()) {
    return unavailable(
        fmt::format("cannot listen on {}: the name is not known ({})", shown(address), error.message()));
  }
  return found.begin()->endpoint();
}

std::string to_text(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", host, endpoint.port())
                                    : fmt::format("{}:{}", host, endpoint.port());
}

Listener::Listener(std::vector<std::unique_ptr<Loop>>& loops, std::shared_ptr<const TlsIdentity> tls)
    : loops_(loops),
      door_(loops.front()->door()),
      acceptor_(loops.front()->io()),
      timer_(loops.front()->io()),
      tls_(std::move(tls)) {}

Result<void> Listener::open(const std::string& address) {
  auto endpoint = parse_endpoint(address);
  if (!endpoint) return endpoint.failure();
  Error error;
  const auto tried = [&error](const Error& outcome) {
    error = outcome;
    return !outcome;
  };
  Error step;
  const bool opened = tried(acceptor_.open(endpoint->protocol(), step)) &&
                      tried(acceptor_.set_option(tcp::acceptor::reuse_address(true), step)) &&
                      // Connections inherit it: an answer must not wait for the client's acknowledgement.
                      tried(acceptor_.set_option(tcp::no_delay(true), step)) &&
                      tried(acceptor_.bind(*endpoint, step)) &&
                      tried(acceptor_.listen(asio::socket_base::max_listen_connections, step)) &&
                      tried(acceptor_.non_blocking(true, step));
  if (opened) return {};
  acceptor_.close(step);
  return unavailable(fmt::format("cannot listen on {}: {}", address, error.message()));
}

void Listener::accept_later() {
  acceptor_.async_wait(tcp::acceptor::wait_read, [this](const Error& error) {
    if (!error) accept_burst();
  });
}

// Whatever a new connection lacks, others come after it.
void Listener::accept_burst() {
  try {
    accept_all();
  } catch (const std::exception& problem) {
    back_off(problem.what());
  }
}

// One wake-up may stand for hundreds of connections: taking one at a time leaves the others in the backlog.
void Listener::accept_all() {
  for (;;) {
    Error error;
    tcp::endpoint peer;
    const std::size_t loop = next_loop_ % loops_.size();
    tcp::socket socket = acceptor_.accept(loops_[loop]->io(), peer, error);
    if (would_block(error)) break;
    // The client gave up while it waited: the next one has not.
    if (error == asio::error::connection_aborted) continue;
    if (error) return back_off(error.message());
    backing_off_ = false;
    ++next_loop_;
    welcome(std::move(socket), loop, peer);
  }
  if (!door_.draining) accept_later();
}

void Listener::welcome(tcp::socket socket, std::size_t loop, const tcp::endpoint& peer) {
  ServerCounters& counters = door_.counters;
  ++counters.connections_accepted;
  Error error;
  socket.non_blocking(true, error);
  if (error) return;
  if (counters.connections_open >= door_.options.max_connections) return turn_away(std::move(socket));
  ++counters.connections_open;
  auto begin = [to = loops_[loop].get(), place = Place(&counters.connections_open),
                peer = peer_text(peer.address()), tls = tls_, taken = std::move(socket)]() mutable {
    const auto connection =
        std::make_shared<Connection>(*to, Transport(std::move(taken), tls.get()), std::move(peer));
    place.release();  // the connection's own from now on
    connection->start();
  };
  if (loop == 0) {
    begin();
  } else {
    asio::post(loops_[loop]->io(), std::move(begin));
  }
}

void Listener::turn_away(tcp::socket socket) {
  door_.counters.count(Refused::connections_full);
  // A handshake only to say no is the work that is too much; the client tries again after a reset, too.
  if (tls_) return;
  const Response response = try_again_later("the server has too many connections, try again later");
  std::string text;
  append_head(text, response, {door_.next_request_id(), http_date(door_.clock.now()), 1, false});
  text += response.body;
  Error ignored;
  socket.write_some(asio::buffer(text), ignored);
  socket.shutdown(tcp::socket::shutdown_send, ignored);
}

// No descriptors or no memory: the connection stays in the backlog, so asking again at once would only spin.
void Listener::back_off(const std::string& reason) {
  if (!acceptor_.is_open()) return;
  timer_.expires_after(kBackOff);
  timer_.async_wait([this](const Error& stopped) {
    if (!stopped && acceptor_.is_open()) accept_burst();
  });
  if (!std::exchange(backing_off_, true)) log::warn("accept_failed", {{"error", reason}});
}

void Listener::close() {
  if (!acceptor_.is_open()) return;
  timer_.cancel();
  accept_burst();
  Error ignored;
  acceptor_.close(ignored);
}

}  // namespace collect::net
