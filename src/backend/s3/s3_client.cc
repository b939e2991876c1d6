// SPDX-License-Identifier: Apache-2.0
#include "backend/s3/s3_client.h"

#include <fmt/format.h>

#include <array>
#include <thread>

#include "backend/s3/s3_answers.h"
#include "base/hash.h"
#include "base/log.h"
#include "queue/backoff.h"

namespace collect::s3 {
namespace {

constexpr std::size_t kMaxAnswer = std::size_t{8} * 1024 * 1024;
constexpr std::chrono::hours kLongest{2};  // calls have their own, shorter time

net::HttpClientOptions client_options(const S3Options& of) {
  net::HttpClientOptions options;
  options.ca_file = of.ca_file;
  options.timeout = kLongest;
  options.max_answer_bytes = kMaxAnswer;
  return options;
}

// What S3 says when it wants to be asked again.
bool is_passing(int status, std::string_view code) {
  return (status >= 500 && status != 501) || status == 408 || status == 429 || code == "RequestTimeout" ||
         code == "SlowDown" || code == "InternalError" || code == "OperationAborted";
}

bool is_missing_feature(int status) {
  return status == 405 || status == 501;
}

std::string_view advice(int status, std::string_view code) {
  using Entry = std::pair<std::string_view, std::string_view>;
  static constexpr std::array kAdvice{
      Entry{"SignatureDoesNotMatch", "check S3_SECRET_KEY and BACKUP_S3_REGION"},
      Entry{"InvalidAccessKeyId", "check S3_ACCESS_KEY"},
      Entry{"NoSuchBucket", "create the bucket, or check BACKUP_S3_BUCKET"},
      Entry{"RequestTimeTooSkewed", "set this machine's clock"},
      Entry{"AuthorizationHeaderMalformed", "check BACKUP_S3_REGION"},
      Entry{"PermanentRedirect", "check BACKUP_S3_REGION and S3_ENDPOINT"},
      Entry{"QuotaExceeded", "make room in the bucket"},
  };
  for (const auto& [name, text] : kAdvice) {
    if (name == code) return text;
  }
  if (status == 401 || status == 403)
    return "check S3_ACCESS_KEY, S3_SECRET_KEY and what they may do in this bucket";
  if (status >= 300 && status < 400) return "check S3_ENDPOINT and BACKUP_S3_REGION";
  if (status == 507) return "make room in the bucket";
  return "look into the storage's own log";
}

// Copying and completing begin to answer 200 before they know how it ends.
std::string code_of(const net::ClientAnswer& answer) {
  const bool may_be_error = answer.status >= 300 || !answer.body.empty();
  return may_be_error ? error_code(answer.body) : "";
}

// Bytes of backups: where nothing can change them on their way, one more checksum would find nothing and cost
// as much as the one of the whole.
std::string payload_sha256(const Call& call, bool sign_payloads) {
  const bool bytes_of_backups = call.method == "PUT" && !call.body.empty();
  if (!sign_payloads && bytes_of_backups) return std::string(kUnsignedPayload);
  return to_hex(sha256(call.body));
}

// Only advice hangs on libcurl's words.
Failure no_answer(Failure failure) {
  if (failure.message.find("certificate") != std::string::npos)
    failure.message += "; check S3_ENDPOINT, and name an authority of your own in BACKUP_S3_CA_FILE";
  return failure;
}

}  // namespace

S3Client::S3Client(S3Options options) : options_(std::move(options)), http_(client_options(options_)) {}

std::string S3Client::name() const {
  return fmt::format("bucket {} at {}://{}", options_.bucket, options_.scheme, options_.host);
}

net::ClientRequest S3Client::signed_request(const Call& call) const {
  Signable request{call.method, options_.host, "/" + call.key,
                   call.query,  call.headers,  payload_sha256(call, options_.sign_payloads)};
  if (options_.path_style) {
    request.path = "/" + options_.bucket + (call.key.empty() ? "" : "/" + call.key);
  } else {
    request.host = options_.bucket + "." + options_.host;
  }
  std::string url = fmt::format("{}://{}{}", options_.scheme, request.host, encode_path(request.path));
  if (!request.query.empty()) url += "?" + encode_query(request.query);
  return {call.method, std::move(url), sign(request, options_.credentials, clock_.now()), call.body};
}

Failure S3Client::refusal(int status, const std::string& code) const {
  if (status == 404 && code != "NoSuchBucket") return not_found("S3 does not have it");
  if (status == 416) return invalid("the range does not lie within the object");
  return unavailable(fmt::format("{} answered {}{}{}: {}", name(), status, code.empty() ? "" : " ", code,
                                 advice(status, code)));
}

Result<std::unique_ptr<net::HttpDownload>> S3Client::open(const Call& call) const {
  net::HttpDownloadOptions options;
  options.ca_file = options_.ca_file;
  return net::HttpDownload::open(signed_request(call), std::move(options));
}

Result<net::ClientAnswer> S3Client::attempt(const Call& call) const {
  if (!call.fresh) return http_.send(signed_request(call), call.timeout);
  const auto opened = open(call);
  if (!opened) return opened.failure();
  net::ClientAnswer answer = (*opened)->head();
  std::array<char, 4096> chunk{};
  while (answer.body.size() < kMaxAnswer) {
    const auto count = (*opened)->read(chunk);
    if (!count) return count.failure();
    if (*count == 0) break;
    answer.body.append(chunk.data(), *count);
  }
  return answer;
}

Result<Reply> S3Client::call(const Call& call) const {
  queue::Backoff backoff(options_.first_pause, std::chrono::seconds(5));
  for (int attempt = 1;; ++attempt) {
    auto answer = this->attempt(call);
    if (!answer && answer.failure().kind != FailureKind::unavailable) return answer.failure();
    const std::string code = answer ? code_of(*answer) : "";
    if (answer && answer->status >= 200 && answer->status < 300 && code.empty())
      return Reply{std::move(*answer), attempt};
    if (answer && call.optional && is_missing_feature(answer->status))
      return Reply{std::move(*answer), attempt};
    const bool again = !answer || answer->status < 300 || is_passing(answer->status, code);
    const bool stopped = call.stop != nullptr && call.stop->load();
    if (!again || stopped || attempt >= call.attempts)
      return answer ? refusal(answer->status, code) : no_answer(answer.failure());
    log::debug("s3_retry", {{"attempt", attempt}, {"status", answer ? answer->status : 0}, {"code", code}});
    std::this_thread::sleep_for(backoff.next());
  }
}

Result<std::unique_ptr<net::HttpDownload>> S3Client::download(const Call& call) const {
  queue::Backoff backoff(options_.first_pause, std::chrono::seconds(5));
  for (int attempt = 1;; ++attempt) {
    auto opened = open(call);
    if (!opened && opened.failure().kind != FailureKind::unavailable) return opened.failure();
    const int status = opened ? (*opened)->head().status : 0;
    if (status == 200 || status == 206) return std::move(*opened);
    std::array<char, 4096> beginning{};
    const auto length = opened ? (*opened)->read(beginning) : Result<std::size_t>(std::size_t{0});
    const std::string code = error_code({beginning.data(), length ? *length : 0});
    if ((opened && !is_passing(status, code)) || attempt >= call.attempts)
      return opened ? refusal(status, code) : no_answer(opened.failure());
    std::this_thread::sleep_for(backoff.next());
  }
}

}  // namespace collect::s3
