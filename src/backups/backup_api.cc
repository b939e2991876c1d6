// SPDX-License-Identifier: Apache-2.0
#include "backups/backup_api.h"

#include <fmt/format.h>

#include <utility>

#include "backups/range.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "systems/guard.h"

namespace collect::backups {
namespace {

// Nothing is asked for in these bodies; this much is read and dropped from those who send one.
constexpr std::uint64_t kIgnoredBody = 64U << 10U;

void write(json::Writer& w, const Backup& backup) {
  w.begin_object().member("id", backup.id.text()).member("filename", backup.filename);
  w.member("size", static_cast<std::int64_t>(backup.size)).member("sha256", backup.sha256);
  w.member("mimetype", backup.mimetype).member("uploaded_at", to_rfc3339(backup.id.uploaded_at()));
  w.end_object();
}

net::Response too_many(std::string_view message, std::chrono::seconds wait) {
  return net::envelope(429, message).with("Retry-After", std::to_string(wait.count()));
}

// The headers that every answer about these bytes has, HEAD and parts included.
net::Response describe(const Backup& backup) {
  net::Response response;
  response.content_type = "application/octet-stream";
  response.with("Content-Disposition", fmt::format("attachment; filename=\"{}\"", backup.filename));
  response.with("Accept-Ranges", "bytes").with("ETag", fmt::format("\"{}\"", backup.sha256));
  response.with("Last-Modified", net::http_date(backup.id.uploaded_at()));
  response.with("X-Checksum-Sha256", backup.sha256);
  if (const auto sum = from_hex(backup.sha256)) response.with("Digest", "sha-256=" + to_base64(*sum));
  response.with("X-Content-Type-Options", "nosniff");
  return response;
}

// Of a client that goes on with an earlier download: a part only of the same bytes (RFC 9110 section 13.1.5).
std::string_view range_asked(const net::Request& request, const Backup& backup) {
  const std::string_view condition = request.header("If-Range");
  if (!condition.empty() && condition != fmt::format("\"{}\"", backup.sha256)) return {};
  return request.header("Range");
}

std::optional<BackupId> id_asked(const net::Request& request) {
  return BackupId::parse(request.params.at(0));
}

net::Response no_id() {
  return net::envelope(
      400, "expected a backup's id, a UUID and one of .tar.gz .tar.xz .tar.bz2 .tar.zst .gpg .bin");
}

}  // namespace

// One of the bodies that a system has under way, for as long as this lives.
class BackupApi::Transfer {
 public:
  Transfer(BackupApi& api, SystemId system_id) : api_(api), system_id_(std::move(system_id)) {}
  ~Transfer() {
    const std::lock_guard lock(api_.mutex_);
    const auto at = api_.transfers_.find(system_id_);
    if (--at->second == 0) api_.transfers_.erase(at);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

 private:
  BackupApi& api_;
  const SystemId system_id_;
};

BackupApi::BackupApi(BackupService& service, Pool& pool, Options options)
    : service_(service),
      pool_(pool),
      options_(std::move(options)),
      rate_limit_(options_.uploads_per_minute, options_.uploads_per_hour) {}

void BackupApi::add_to(net::Router& router, systems::Authenticator& authenticator) {
  const auto add = [&](net::Method method, std::string_view path, std::uint64_t max_body_bytes,
                       net::BodyUse use, Handle handle) {
    router.add(method, path,
               systems::for_systems(authenticator,
                                    [this, max_body_bytes, use, handle](const auto& /*head*/, auto system) {
                                      return accept(std::move(system), max_body_bytes, use, handle);
                                    }));
  };
  router.add(net::Method::post, "/api/systems/backups",
             systems::for_systems(authenticator, [this](const auto& head, auto system) {
               return welcome_upload(head, std::move(system));
             }));
  add(net::Method::get, "/api/systems/backups", kIgnoredBody, net::BodyUse::ignore, &BackupApi::list);
  add(net::Method::get, "/api/systems/backups/{id}", 0, net::BodyUse::stream, &BackupApi::get);
  add(net::Method::delete_, "/api/systems/backups/{id}", kIgnoredBody, net::BodyUse::ignore,
      &BackupApi::remove);
}

// ---------------------------------------------------------------- before the body

BackupApi::Welcomed BackupApi::accept(std::shared_ptr<const systems::System> system,
                                      std::uint64_t max_body_bytes, net::BodyUse use, Handle handle) {
  const auto run = [this, handle, system = std::move(system)](const net::Request& request) {
    const Owner owner{system->organization_id, system->id, system->system_key};
    return (this->*handle)(owner, request);
  };
  return net::Accepted{max_body_bytes, use, run, &pool_};
}

BackupApi::Welcomed BackupApi::welcome_upload(const net::RequestHead& head,
                                              std::shared_ptr<const systems::System> system) {
  const auto refuse = [this](net::Response response) {
    ++counters_.refused;
    return response;
  };
  if (!head.content_length) return refuse(net::envelope(411, "expected a Content-Length, got none"));
  if (*head.content_length == 0) return refuse(net::envelope(400, "expected a backup, got an empty body"));
  if (*head.content_length > options_.max_upload_bytes) {
    return refuse(net::envelope(413, "backup too large",
                                fmt::format(R"({{"max_size_bytes":{}}})", options_.max_upload_bytes)));
  }
  if (const auto wait = rate_limit_.take(system->id, head.received_at)) {
    ++counters_.rate_limited;
    return too_many("too many backups, try again later", *wait);
  }
  return accept(std::move(system), options_.max_upload_bytes, net::BodyUse::stream, &BackupApi::post);
}

std::shared_ptr<BackupApi::Transfer> BackupApi::begin_transfer(const SystemId& system_id) {
  const std::lock_guard lock(mutex_);
  std::size_t& count = transfers_[system_id];
  if (count >= options_.transfers_per_system) return nullptr;
  ++count;
  return std::make_shared<Transfer>(*this, system_id);
}

// ---------------------------------------------------------------- answers

net::Response BackupApi::answer_to(const Failure& failure, const net::Request& request) {
  switch (failure.kind) {
    case FailureKind::not_found:
      return net::envelope(404, "backup not found");
    case FailureKind::unavailable:
      ++counters_.unavailable;
      log::warn("backup_request_failed",
                {{"request_id", request.request_id}, {"route", request.route}, {"error", failure.message}});
      return net::try_again_later("backups are not available at the moment, try again later");
    case FailureKind::invalid:
      return net::envelope(400, failure.message);
    case FailureKind::conflict:
    case FailureKind::internal:
      break;
  }
  log::error("backup_request_failed",
             {{"request_id", request.request_id}, {"route", request.route}, {"error", failure.message}});
  return net::envelope(500, "internal error");
}

net::Response BackupApi::post(const Owner& owner, const net::Request& request) {
  const auto transfer = begin_transfer(owner.system_id);
  if (!transfer) {
    ++counters_.rate_limited;
    return too_many("too many transfers of this system at once",
                    std::chrono::seconds(net::jittered_seconds()));
  }
  const Incoming incoming{std::string(request.header("X-Filename")),
                          std::string(request.header("Content-Type")),
                          net::client_address(request, options_.trusted_proxies), *request.content_length};
  const auto uploaded = service_.upload(owner, incoming, *request.stream);
  if (!uploaded) return answer_to(uploaded.failure(), request);
  json::Writer w;
  if (const auto* over = std::get_if<OverQuota>(&*uploaded)) {
    w.begin_object().member("quota_bytes", static_cast<std::int64_t>(over->limit));
    w.member("used_bytes", static_cast<std::int64_t>(over->used)).end_object();
    return net::envelope(413, "the organization's backup quota has no room for this backup", w.text());
  }
  write(w, std::get<Backup>(*uploaded));
  return net::envelope(201, "backup stored", w.text());
}

net::Response BackupApi::list(const Owner& owner, const net::Request& request) {
  const auto backups = service_.list(owner);
  if (!backups) return answer_to(backups.failure(), request);
  json::Writer w;
  w.begin_object().key("backups").begin_array();
  for (const Backup& backup : *backups) write(w, backup);
  w.end_array().end_object();
  return net::envelope(200, "backups", w.text());
}

net::Response BackupApi::remove(const Owner& owner, const net::Request& request) {
  const auto id = id_asked(request);
  if (!id) return no_id();
  if (auto removed = service_.remove(owner, *id); !removed) return answer_to(removed.failure(), request);
  json::Writer w;
  w.begin_object().member("id", id->text()).end_object();
  return net::envelope(200, "backup deleted", w.text());
}

net::Response BackupApi::get(const Owner& owner, const net::Request& request) {
  const auto id = id_asked(request);
  if (!id) return no_id();
  if (request.method == net::Method::head) {
    const auto backup = service_.find(owner, *id);
    if (!backup) return answer_to(backup.failure(), request);
    net::Response response = describe(*backup);
    response.source_bytes = backup->size;
    return response;
  }
  auto transfer = begin_transfer(owner.system_id);
  if (!transfer)
    return too_many("too many transfers of this system at once",
                    std::chrono::seconds(net::jittered_seconds()));
  return download(owner, *id, request, std::move(transfer));
}

net::Response BackupApi::download(const Owner& owner, const BackupId& id, const net::Request& request,
                                  std::shared_ptr<Transfer> transfer) {
  class Source final : public net::ByteSource {
   public:
    Source(std::unique_ptr<Download> from, std::shared_ptr<Transfer> transfer)
        : download_(std::move(from)), transfer_(std::move(transfer)) {}
    Result<std::size_t> read(std::span<char> into) override { return download_->read(into); }

   private:
    const std::unique_ptr<Download> download_;
    const std::shared_ptr<Transfer> transfer_;
  };
  // The size has to be known before a part of it can be asked for.
  RangeAsked asked;
  if (request.has_header("Range")) {
    const auto backup = service_.find(owner, id);
    if (!backup) return answer_to(backup.failure(), request);
    asked = read_range(range_asked(request, *backup), backup->size);
    if (asked.kind == RangeAsked::Kind::unsatisfiable) {
      return net::envelope(416, "the range begins beyond the end of the backup")
          .with("Content-Range", fmt::format("bytes */{}", backup->size));
    }
  }
  const bool part = asked.kind == RangeAsked::Kind::part;
  auto opened = service_.open(owner, id, part ? std::optional(asked.part) : std::nullopt);
  if (!opened) return answer_to(opened.failure(), request);
  const auto backup = backup_of((*opened)->info()).value();
  net::Response response = describe(backup);
  response.source_bytes = part ? asked.part.length : backup.size;
  if (part) {
    response.status = 206;
    response.with("Content-Range", fmt::format("bytes {}-{}/{}", asked.part.offset,
                                               asked.part.offset + asked.part.length - 1, backup.size));
  }
  response.source = std::make_shared<Source>(*std::move(opened), std::move(transfer));
  return response;
}

}  // namespace collect::backups
