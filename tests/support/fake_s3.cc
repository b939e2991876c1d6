// SPDX-License-Identifier: Apache-2.0
#include "support/fake_s3.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <optional>
#include <regex>
#include <stdexcept>

#include "base/hash.h"

namespace collect::test {
namespace {

// Counts one while it lives.
class InHand {
 public:
  explicit InHand(std::atomic<int>& count) : count_(count) { ++count_; }
  ~InHand() { --count_; }
  InHand(const InHand&) = delete;
  InHand& operator=(const InHand&) = delete;

 private:
  std::atomic<int>& count_;
};

constexpr std::uint64_t kLeastPart = std::uint64_t{5} << 20U;
constexpr std::uint64_t kMostAtOnce = std::uint64_t{5} << 30U;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string http_date(std::int64_t seconds) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S GMT}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}
std::string iso_date(std::int64_t seconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S.000Z}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

std::map<std::string, std::string> kept_headers(const std::map<std::string, std::string>& headers) {
  std::map<std::string, std::string> kept;
  for (const auto& [name, value] : headers) {
    if (name.starts_with("x-amz-meta-") || name == "content-type" || name == "x-amz-server-side-encryption")
      kept[name] = value;
  }
  return kept;
}

}  // namespace

struct FakeS3::Exchange {
  ReceivedRequest request;
  std::string key;
  std::map<std::string, std::string> query;
  std::shared_ptr<Piece> body;
  std::string text;  // the body, where it is small
  std::string payload_sha256;
  // The answer.
  int status = 200;
  std::map<std::string, std::string> headers = {};
  std::string content = {};
  std::vector<Slice> slices = {};
  std::uint64_t length = 0;  // of slices

  [[nodiscard]] std::string header(const std::string& name) const {
    const auto found = request.headers.find(name);
    return found == request.headers.end() ? "" : found->second;
  }
  void refuse(int code, const std::string& name) {
    status = code;
    slices.clear();
    content = "<?xml version=\"1.0\"?><Error><Code>" + name + "</Code></Error>";
  }
};

FakeS3::Piece::~Piece() {
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
}

FakeS3::FakeS3(Options options)
    : options_(std::move(options)),
      tls_(options_.certificate_file.empty() ? nullptr
                                             : tls_context(options_.certificate_file, options_.key_file)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the fake S3 cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this] { accept_all(); });
}

FakeS3::~FakeS3() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  std::vector<std::jthread> threads;
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    threads.swap(threads_);
  }
  threads.clear();
}

void FakeS3::plan(Plan plan) {
  const std::lock_guard lock(mutex_);
  plan_ = std::move(plan);
  number_ = 0;
  calls_.clear();
  unsigned_calls_.clear();
}
std::vector<std::string> FakeS3::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}
std::vector<std::string> FakeS3::unsigned_calls() const {
  const std::lock_guard lock(mutex_);
  return unsigned_calls_;
}
std::vector<std::string> FakeS3::objects() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> keys;
  for (const auto& [key, object] : objects_) keys.push_back(key);
  return keys;
}
std::filesystem::path FakeS3::file_of(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  return objects_.at(key).slices.at(0).piece->file;
}
std::size_t FakeS3::uploads() const {
  const std::lock_guard lock(mutex_);
  return uploads_.size();
}
std::map<std::string, std::string> FakeS3::headers_of(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  return objects_.at(key).headers;
}

void FakeS3::accept_all() {
  while (true) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    ++connections_;
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    const std::lock_guard lock(mutex_);
    sockets_.insert(socket);
    threads_.emplace_back([this, socket] { serve(socket); });
  }
}

void FakeS3::serve(int socket) {
  // Neither sendfile nor OpenSSL knows MSG_NOSIGNAL.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  {
    FakeS3Wire wire(socket, tls_.get());
    std::string buffer;
    bool going_on = wire.agree();
    while (going_on) going_on = serve_one(wire, buffer);
  }
  const std::lock_guard lock(mutex_);
  sockets_.erase(socket);
  ::close(socket);
}

// Reads one request and answers it; false when the connection is over.
bool FakeS3::serve_one(FakeS3Wire& wire, std::string& buffer) {
  std::size_t end = 0;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!wire.receive(buffer)) return false;
  }
  Exchange exchange;
  const std::string head = buffer.substr(0, end + 2);
  buffer.erase(0, end + 4);
  const std::string line = head.substr(0, head.find("\r\n"));
  const auto first = line.find(' ');
  const auto second = line.find(' ', first + 1);
  const std::string target = line.substr(first + 1, second - first - 1);
  exchange.request.method = line.substr(0, first);
  exchange.request.raw_path = target.substr(0, target.find('?'));
  if (target.find('?') != std::string::npos) exchange.request.raw_query = target.substr(target.find('?') + 1);
  for (std::size_t at = line.size() + 2; at < head.size();) {
    const auto stop = head.find("\r\n", at);
    const auto colon = head.find(':', at);
    const auto value = head.find_first_not_of(' ', colon + 1);
    exchange.request.headers[lower(head.substr(at, colon - at))] =
        value < stop ? head.substr(value, stop - value) : "";
    at = stop + 2;
  }
  std::string raw_query = exchange.request.raw_query;
  while (!raw_query.empty()) {
    const std::string part = raw_query.substr(0, raw_query.find('&'));
    raw_query.erase(0, part.size() + 1);
    const auto equals = part.find('=');
    exchange.query[percent_decoded(part.substr(0, equals))] =
        equals == std::string::npos ? "" : percent_decoded(part.substr(equals + 1));
  }
  exchange.key = percent_decoded(exchange.request.raw_path).substr(1);
  const bool by_host = exchange.header("host").starts_with(options_.bucket + ".");
  bool known_bucket = by_host;
  if (!by_host) {
    known_bucket = exchange.key == options_.bucket || exchange.key.starts_with(options_.bucket + "/");
    exchange.key.erase(0, options_.bucket.size() + 1);
  }
  std::string call = exchange.request.method + " " + exchange.key;
  for (const auto& [name, value] : exchange.query)
    call += (call.find('?') == std::string::npos ? "?" : "&") + name;
  if (!exchange.header("x-amz-copy-source").empty()) call += " copy";

  Fault fault = Fault::none;
  const InHand in_hand(in_hand_);
  {
    const std::lock_guard lock(mutex_);
    ++number_;
    if (plan_) fault = plan_(number_, call);
  }
  std::uint64_t left =
      exchange.header("content-length").empty() ? 0 : std::stoull(exchange.header("content-length"));
  if (fault == Fault::cut_before) {
    const std::lock_guard lock(mutex_);
    calls_.push_back(call);
    return false;
  }
  if (exchange.header("expect") == "100-continue" && !wire.send("HTTP/1.1 100 Continue\r\n\r\n"))
    return false;

  exchange.body = std::make_shared<Piece>();
  exchange.body->file = folder_.path() / std::to_string(++pieces_);
  exchange.body->size = left;
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr);
  const int file = left > 0 ? ::open(exchange.body->file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
  while (left > 0) {
    if (buffer.empty() && !wire.receive(buffer)) {
      ::close(file);
      return false;
    }
    const std::string_view bytes = std::string_view(buffer).substr(0, left);
    EVP_DigestUpdate(hash.get(), bytes.data(), bytes.size());
    if (::write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
      throw std::runtime_error("the fake S3 cannot write");
    if (exchange.text.size() < (std::size_t{1} << 20U)) exchange.text += bytes;
    left -= bytes.size();
    buffer.erase(0, bytes.size());
  }
  if (file >= 0) ::close(file);
  std::array<unsigned char, 32> digest{};
  EVP_DigestFinal_ex(hash.get(), digest.data(), nullptr);
  exchange.payload_sha256 = to_hex(digest);

  const std::string verdict =
      options_.unsigned_too && exchange.header("authorization").empty()
          ? ""
          : judge_signature(exchange.request, exchange.payload_sha256, options_.credentials,
                            options_.signed_payloads_only ? Payloads::are_signed : Payloads::may_be_unsigned);
  if (!verdict.empty()) {
    exchange.refuse(403, verdict);
  } else if (!known_bucket) {
    exchange.refuse(404, "NoSuchBucket");
  } else if (fault == Fault::slow_down) {
    exchange.refuse(503, "SlowDown");
  } else if (fault == Fault::internal) {
    exchange.refuse(500, "InternalError");
  } else if (fault == Fault::forbidden) {
    exchange.refuse(403, "AccessDenied");
  } else if (fault == Fault::forgotten) {
    exchange.refuse(404, "NoSuchUpload");
  } else if (fault == Fault::error_in_200) {
    exchange.refuse(200, "InternalError");
  } else {
    const std::lock_guard lock(mutex_);
    answer(exchange);
  }
  {
    const std::lock_guard lock(mutex_);
    calls_.push_back(call);
    if (has_unsigned_payload(exchange.request)) unsigned_calls_.push_back(call);
  }
  if (fault == Fault::cut_after) return false;

  const bool sliced = !exchange.slices.empty();
  if (!exchange.headers.contains("Content-Length"))
    exchange.headers["Content-Length"] = std::to_string(sliced ? exchange.length : exchange.content.size());
  std::string out = fmt::format("HTTP/1.1 {} x\r\n", exchange.status);
  if (fault == Fault::no_length) exchange.headers.erase("Content-Length");
  for (const auto& [name, value] : exchange.headers) out += name + ": " + value + "\r\n";
  out += "\r\n";
  const bool with_body = exchange.request.method != "HEAD";
  if (with_body && !sliced) out += exchange.content;
  if (fault == Fault::cut_inside) {
    std::uint64_t half = exchange.length / 2;
    if (!sliced) {
      wire.send(out.substr(0, out.size() - 1));
      return false;
    }
    exchange.slices.resize((exchange.slices.size() + 1) / 2);
    Slice& last = exchange.slices.back();
    last.length = std::min(last.length, std::max<std::uint64_t>(1, half));
  }
  if (!wire.send(out)) return false;
  for (const Slice& slice : exchange.slices) {
    if (!with_body) break;
    const int from = ::open(slice.piece->file.c_str(), O_RDONLY | O_CLOEXEC);
    const bool sent = wire.send_file(from, slice.offset, slice.length);
    ::close(from);
    if (!sent) return false;
  }
  return fault != Fault::cut_inside && fault != Fault::no_length;
}

void FakeS3::answer(Exchange& exchange) {
  const std::string& method = exchange.request.method;
  if (exchange.key.empty()) return answer_bucket(exchange);
  if (method == "GET" || method == "HEAD") return answer_get(exchange);
  if (method == "PUT") return answer_put(exchange);
  if (method == "POST") return answer_post(exchange);
  if (method == "DELETE") return answer_delete(exchange);
  exchange.refuse(405, "MethodNotAllowed");
}

void FakeS3::answer_bucket(Exchange& exchange) {
  const std::string prefix = exchange.query["prefix"];
  if (exchange.query.contains("uploads")) {
    std::string xml = "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>";
    for (const auto& [id, upload] : uploads_) {
      if (upload.key.starts_with(prefix))
        xml += fmt::format("<Upload><Key>{}</Key><UploadId>{}</UploadId></Upload>", upload.key, id);
    }
    exchange.content = xml + "</ListMultipartUploadsResult>";
    return;
  }
  if (exchange.query["list-type"] != "2") return exchange.refuse(501, "NotImplemented");
  const std::string after =
      exchange.query["continuation-token"].empty() ? "" : *from_hex(exchange.query["continuation-token"]);
  std::string xml =
      "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  std::size_t count = 0;
  std::string last;
  bool more = false;
  for (const auto& [key, object] : objects_) {
    if (!key.starts_with(prefix) || key <= after) continue;
    if (count == options_.page) {
      more = true;
      break;
    }
    ++count;
    last = key;
    xml += fmt::format("<Contents><Key>{}</Key><LastModified>{}</LastModified><Size>{}</Size></Contents>",
                       key, iso_date(object.modified), object.size);
  }
  if (more) xml += "<NextContinuationToken>" + to_hex(std::string_view(last)) + "</NextContinuationToken>";
  exchange.content = xml + "<IsTruncated>" + (more ? "true" : "false") + "</IsTruncated></ListBucketResult>";
}

std::vector<FakeS3::Slice> FakeS3::cut(const Object& object, std::uint64_t from, std::uint64_t length) const {
  std::vector<Slice> out;
  for (const Slice& slice : object.slices) {
    if (from >= slice.length) {
      from -= slice.length;
      continue;
    }
    const std::uint64_t here = std::min(length, slice.length - from);
    if (here > 0) out.push_back({slice.piece, slice.offset + from, here});
    length -= here;
    from = 0;
  }
  return out;
}

void FakeS3::answer_get(Exchange& exchange) {
  const auto found = objects_.find(exchange.key);
  if (found == objects_.end()) return exchange.refuse(404, "NoSuchKey");
  const Object& object = found->second;
  const std::string match = exchange.header("if-match");
  if (!match.empty() && match != object.etag) return exchange.refuse(412, "PreconditionFailed");
  for (const auto& [name, value] : object.headers) exchange.headers[name] = value;
  exchange.headers["ETag"] = object.etag;
  exchange.headers["Last-Modified"] = http_date(object.modified);
  std::uint64_t from = 0;
  exchange.length = object.size;
  if (std::smatch range; exchange.request.headers.contains("range")) {
    const std::string text = exchange.header("range");
    if (!std::regex_match(text, range, std::regex("bytes=([0-9]+)-([0-9]+)")) ||
        std::stoull(range[1]) >= object.size) {
      return exchange.refuse(416, "InvalidRange");
    }
    from = std::stoull(range[1]);
    const std::uint64_t last = std::min<std::uint64_t>(std::stoull(range[2]), object.size - 1);
    exchange.status = 206;
    exchange.length = last - from + 1;
    exchange.headers["Content-Range"] = fmt::format("bytes {}-{}/{}", from, last, object.size);
  }
  exchange.headers["Content-Length"] = std::to_string(exchange.length);
  exchange.slices = cut(object, from, exchange.length);
}

void FakeS3::answer_put(Exchange& exchange) {
  Object object;
  object.modified = std::time(nullptr);
  object.etag = "\"" + exchange.payload_sha256.substr(0, 32) + "\"";
  object.headers = kept_headers(exchange.request.headers);
  std::string source = percent_decoded(exchange.header("x-amz-copy-source"));
  const bool copy = !source.empty();
  if (copy) {
    const auto found = objects_.find(source.substr(std::min(source.size(), options_.bucket.size() + 2)));
    if (found == objects_.end()) return exchange.refuse(404, "NoSuchKey");
    std::uint64_t from = 0;
    std::uint64_t length = found->second.size;
    if (std::smatch range; exchange.request.headers.contains("x-amz-copy-source-range")) {
      const std::string text = exchange.header("x-amz-copy-source-range");
      std::regex_match(text, range, std::regex("bytes=([0-9]+)-([0-9]+)"));
      from = std::stoull(range[1]);
      length = std::stoull(range[2]) - from + 1;
    } else if (exchange.header("x-amz-metadata-directive") != "REPLACE") {
      return exchange.refuse(400, "InvalidRequest");
    }
    if (length > kMostAtOnce) return exchange.refuse(400, "InvalidRequest");
    object.slices = cut(found->second, from, length);
    object.size = length;
    exchange.content = "<CopyObjectResult><ETag>" + object.etag + "</ETag></CopyObjectResult>";
  } else {
    object.size = exchange.body->size;
    if (object.size > kMostAtOnce) return exchange.refuse(400, "EntityTooLarge");
    if (object.size > 0) object.slices = {{exchange.body, 0, object.size}};
    exchange.headers["ETag"] = object.etag;
  }
  if (exchange.query.contains("uploadId")) {
    const auto upload = uploads_.find(exchange.query["uploadId"]);
    if (upload == uploads_.end() || upload->second.key != exchange.key)
      return exchange.refuse(404, "NoSuchUpload");
    upload->second.parts[std::stoi(exchange.query["partNumber"])] = object;
  } else {
    objects_[exchange.key] = object;
  }
}

void FakeS3::answer_post(Exchange& exchange) {
  if (exchange.query.contains("uploads")) {
    const std::string id = "upload-" + std::to_string(++last_id_) + "/+=";
    uploads_[id] = {exchange.key, kept_headers(exchange.request.headers), {}};
    exchange.content =
        "<InitiateMultipartUploadResult><UploadId>" + id + "</UploadId></InitiateMultipartUploadResult>";
    return;
  }
  const auto upload = uploads_.find(exchange.query["uploadId"]);
  if (upload == uploads_.end() || upload->second.key != exchange.key)
    return exchange.refuse(404, "NoSuchUpload");
  complete(exchange, upload->second);
  if (exchange.status == 200) uploads_.erase(upload);
}

void FakeS3::complete(Exchange& exchange, Upload& upload) {
  static const std::regex part("<PartNumber>([0-9]+)</PartNumber><ETag>&quot;([0-9a-f]+)&quot;</ETag>");
  Object object;
  object.headers = upload.headers;
  object.modified = std::time(nullptr);
  object.etag = "\"" + exchange.payload_sha256.substr(0, 32) + "-2\"";
  int expected = 1;
  std::uint64_t previous = kLeastPart;
  for (auto at = std::sregex_iterator(exchange.text.begin(), exchange.text.end(), part);
       at != std::sregex_iterator(); ++at, ++expected) {
    const auto found = upload.parts.find(std::stoi((*at)[1]));
    if (found == upload.parts.end() || found->second.etag != "\"" + (*at)[2].str() + "\"" ||
        found->first != expected)
      return exchange.refuse(400, "InvalidPart");
    if (previous < kLeastPart) return exchange.refuse(400, "EntityTooSmall");
    previous = found->second.size;
    object.slices.insert(object.slices.end(), found->second.slices.begin(), found->second.slices.end());
    object.size += found->second.size;
  }
  if (expected == 1 || expected > 10'001) return exchange.refuse(400, "MalformedXML");
  objects_[exchange.key] = object;
  exchange.content =
      "<CompleteMultipartUploadResult><ETag>" + object.etag + "</ETag></CompleteMultipartUploadResult>";
}

void FakeS3::answer_delete(Exchange& exchange) {
  exchange.status = 204;
  if (!exchange.query.contains("uploadId")) {
    objects_.erase(exchange.key);
    return;
  }
  if (uploads_.erase(exchange.query["uploadId"]) == 0) exchange.refuse(404, "NoSuchUpload");
}

}  // namespace collect::test
