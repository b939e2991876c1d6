// SPDX-License-Identifier: Apache-2.0
#include "app/doctor.h"

#include <fmt/format.h>
#include <sys/statfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <iterator>

#include "alertmanager/tenant_client.h"
#include "app/certificate.h"
#include "app/config_file.h"
#include "backend/engine.h"
#include "backend/examination.h"
#include "backend/object_stores.h"
#include "base/hash.h"
#include "base/ids.h"

namespace collect::app {
namespace {

using backend::Finding;
using backend::State;

constexpr std::uint64_t kGibibyte = std::uint64_t{1} << 30U;
constexpr std::chrono::seconds kAlertmanagerPatience{10};

Finding rules_finding(const Settings& settings) {
  const auto config = load_service_config(settings);
  if (config) return {"rules", State::ok, config->origin, ""};
  return {
      "rules", State::failure, config.failure().message,
      "mend it; `collect config check` looks at it alone, `collect config default` prints a complete one"};
}

// The kernel knows whether anything keeps it in time; where it may not be asked, nothing is said.
std::vector<Finding> own_clock_findings() {
  timex state{};
  if (::adjtimex(&state) != TIME_ERROR) return {};
  return {{"clock", State::warning, "nothing keeps this machine's clock in time",
           "install chrony, or turn systemd-timesyncd on"}};
}

// ---------------------------------------------------------------- disk

// Source of the numbers: statfs(2).
bool is_network(const struct statfs& found) {
  constexpr std::array<std::uint32_t, 4> kNetworks = {0x6969 /* NFS */, 0x517b /* SMB */,
                                                      0xff534d42 /* CIFS */, 0xfe534d42 /* SMB2 */};
  for (const std::uint32_t magic : kNetworks)
    if (static_cast<std::uint32_t>(found.f_type) == magic) return true;
  return false;
}

std::vector<Finding> disk_findings(const Settings& settings) {
  const bool backups_here = settings.s3_endpoint.empty();
  if (!settings.embedded() && !backups_here) return {};
  std::filesystem::path folder = settings.data_dir;
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) {
    return {{"disk", State::ok, fmt::format("{} is made at the first start", folder.string()), ""}};
  }
  struct statfs found {};
  if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0 || ::statfs(folder.c_str(), &found) != 0) {
    return {{"disk", State::failure,
             fmt::format("this user may not write in {} (COLLECT_DATA_DIR)", folder.string()),
             "run doctor as the user of the service, or give the folder to it"}};
  }
  const auto block = static_cast<std::uint64_t>(found.f_bsize);
  return space_findings(folder.string(), {found.f_bavail * block, found.f_blocks * block, is_network(found)},
                        settings.embedded());
}

// ---------------------------------------------------------------- backups

// Whole, as a backup goes: what a key may do shows in no other way.
class Probe {
 public:
  explicit Probe(backups::ObjectStore& store) : store_(store) {}

  // What failed, in the words of the storage, with what is missing.
  std::vector<Finding> run() {
    if (!step(put(), "s3:PutObject on its objects; see, too, that the bucket exists"))
      return std::move(failed_);
    step(read(), "s3:GetObject on its objects");
    step(list(), "s3:ListBucket on the bucket");
    step(store_.remove(key_), "s3:DeleteObject on its objects");
    return std::move(failed_);
  }

 private:
  bool step(const Result<void>& outcome, std::string_view permission) {
    if (outcome) return true;
    failed_.push_back({"backups", State::failure, outcome.failure().message,
                       fmt::format("give the key S3_ACCESS_KEY the permission {}", permission)});
    return false;
  }
  Result<void> put() {
    auto upload = store_.begin(key_, kContent.size());
    if (!upload) return upload.failure();
    if (auto written = (*upload)->write(kContent); !written) return written;
    return (*upload)->finish(
        {to_hex(sha256(kContent)), "probe.bin", "127.0.0.1", "application/octet-stream"});
  }
  Result<void> read() {
    auto download = store_.open(key_, std::nullopt);
    if (!download) return download.failure();
    std::array<char, 64> buffer{};
    const auto size = (*download)->read(buffer);
    if (!size) return size.failure();
    if (std::string_view(buffer.data(), *size) == kContent) return {};
    return unavailable("the storage gave back other bytes than it was given");
  }
  Result<void> list() {
    const auto found = store_.list(kFolder);
    if (!found) return found.failure();
    for (const auto& entry : *found)
      if (entry.key == key_) return {};
    return unavailable("the storage does not list what it was given");
  }

  static constexpr std::string_view kContent = "a probe of collect doctor";
  static constexpr std::string_view kFolder = "collect-doctor/";
  backups::ObjectStore& store_;
  const std::string key_ = std::string(kFolder) + random_hex(16);
  std::vector<Finding> failed_;
};

std::vector<Finding> backup_findings(const Settings& settings) {
  const std::string name = backend::object_store_name(settings);
  // A directory has no permissions of its own: see disk_findings().
  if (settings.s3_endpoint.empty()) return {{"backups", State::ok, "in the folder " + name, ""}};
  const auto store = backend::open_object_store(settings);
  if (!store)
    return {{"backups", State::failure, store.failure().message, "mend the settings S3_… and BACKUP_S3_…"}};
  auto failed = Probe(**store).run();
  if (failed.empty())
    failed.push_back({"backups", State::ok, name + ": a probe was stored, read, listed and removed", ""});
  return failed;
}

// ---------------------------------------------------------------- Alertmanager

// Asking as an organization that exists: asking as another makes Mimir create an Alertmanager for it.
std::string some_tenant(const Settings& settings, const Clock& clock) {
  std::error_code error;
  const bool nothing_yet = settings.embedded() && !std::filesystem::exists(settings.data_dir, error);
  if (!nothing_yet) {
    if (const auto engine = backend::open(settings, backend::Use::stores, clock)) {
      const auto organizations = (*engine)->stores().systems.list_organizations();
      if (organizations && !organizations->empty()) return organizations->front().logto_id.text();
    }
  }
  return "collect";
}

Finding alertmanager_finding(const Settings& settings, const Clock& clock) {
  const char* subject = "Alertmanager";
  if (settings.mimir_url.empty()) {
    return {subject, State::ok, "none (MIMIR_URL is not set): systems cannot post alerts", ""};
  }
  alertmanager::TenantClient client(settings.mimir_url,
                                    {.http = {.connect_timeout = std::chrono::seconds(3)}});
  const std::string tenant = some_tenant(settings, clock);
  const auto answer = client.ask({.tenant = tenant, .path = "status"}, kAlertmanagerPatience);
  const std::string origin = net::http_origin(settings.mimir_url);
  if (!answer) {
    return {subject, State::failure, answer.failure().message,
            "see that MIMIR_URL is right, that the server runs and lets this machine in"};
  }
  const std::string got = fmt::format("{} answered HTTP {} to tenant {}", origin, answer->status, tenant);
  switch (answer->status) {
    case 200:
      return {subject, State::ok, fmt::format("{} answers to tenant {}", origin, tenant), ""};
    case 401:
    case 403:
      return {subject, State::failure, got,
              "let this machine in without credentials: Collect has none to give"};
    case 404:
      return {subject, State::failure, got,
              "MIMIR_URL is what stands before /alertmanager/api/v2; is the Alertmanager served there?"};
    case 406:
      return {subject, State::warning, got + ": it is still being created", "look again in a minute"};
    default:
      return {subject, State::failure, got, "look at the log of Mimir or of the Alertmanager"};
  }
}

void add(std::vector<Finding>& all, std::vector<Finding> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

Finding certificate_finding(const Settings& settings, Time now) {
  const char* subject = "certificate";
  const auto certificate = load_certificate(settings);
  if (!certificate)
    return {subject, State::failure, certificate.failure().message, "mend the file, then `kill -HUP`"};
  if (*certificate == nullptr) {
    const std::string& address = settings.listen_address;
    const bool inside =
        address.starts_with("127.") || address.starts_with("[::1]") || address.starts_with("localhost:");
    if (inside) return {subject, State::ok, "none: plain HTTP, reachable from this machine only", ""};
    return {
        subject, State::warning, fmt::format("none: plain HTTP at {}", address),
        "let only a proxy with TLS reach that address, or set TLS_CERT_FILE and TLS_KEY_FILE: systems send "
        "their secrets"};
  }
  const Time end = (*certificate)->ends_at();
  const std::string day = to_rfc3339(end).substr(0, 10);
  const char* renew = "renew it, then `kill -HUP`";
  if (end <= now)
    return {subject, State::failure, fmt::format("ended on {}: nobody can connect", day), renew};
  if (end < now + kCertificateEndsSoon)
    return {subject, State::warning, fmt::format("ends on {}", day), renew};
  return {subject, State::ok, fmt::format("ends on {}", day), ""};
}

std::vector<Finding> space_findings(const std::string& folder, Space space, bool holds_database) {
  std::vector<Finding> out;
  const auto gibibytes = [](std::uint64_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(kGibibyte);
  };
  const std::string found =
      fmt::format("{:.1f} of {:.1f} GiB free in {}", gibibytes(space.free), gibibytes(space.total), folder);
  const char* make_room = "make room: when it is full, inventories and backups are answered with 503";
  if (space.free < kGibibyte / 8) {
    out.push_back({"disk", State::failure, found, make_room});
  } else if (space.free < kGibibyte || space.free < space.total / 20) {
    out.push_back({"disk", State::warning, found, make_room});
  } else {
    out.push_back({"disk", State::ok, found, ""});
  }
  if (space.network && holds_database) {
    out.push_back({"disk", State::warning, fmt::format("{} is on another machine's file system", folder),
                   "move COLLECT_DATA_DIR to a local disk: SQLite's log needs one"});
  }
  return out;
}

std::vector<Finding> examine(const Settings& settings, const Clock& clock) {
  std::vector<Finding> out = {{"settings", State::ok, fmt::format("APP_ENV={}", settings.app_env), ""}};
  out.push_back(rules_finding(settings));
  out.push_back(certificate_finding(settings, clock.now()));
  add(out, backend::examine_engine(settings, clock));
  add(out, own_clock_findings());
  add(out, disk_findings(settings));
  add(out, backup_findings(settings));
  out.push_back(alertmanager_finding(settings, clock));
  return out;
}

}  // namespace collect::app
