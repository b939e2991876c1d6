// SPDX-License-Identifier: Apache-2.0
// TLS at the door of a real process, as curl and an operator see it.
#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "journey/service.h"
#include "support/certificate.h"

namespace collect::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

class TlsJourney : public testing::Test {
 protected:
  TlsJourney() { install(first_); }

  // As a program that renews certificates leaves them.
  void install(const Certificate& certificate) const {
    fs::copy_file(certificate.cert(), cert(), fs::copy_options::overwrite_existing);
    fs::copy_file(certificate.key(), key(), fs::copy_options::overwrite_existing);
  }
  [[nodiscard]] std::string cert() const { return place_.path() / "door.crt"; }
  [[nodiscard]] std::string key() const { return place_.path() / "door.key"; }
  Service& serve() {
    service_ = std::make_unique<Service>(EngineKind::embedded,
                                         Environment{{"TLS_CERT_FILE", cert()}, {"TLS_KEY_FILE", key()}});
    return *service_;
  }
  // What curl prints when it trusts that certificate only: the body, and after it the status.
  [[nodiscard]] std::vector<std::string> curl(const Certificate& trusted, const std::string& path,
                                              std::vector<std::string> options = {}) const {
    std::vector<std::string> command = {"curl",
                                        "--silent",
                                        "--show-error",
                                        "--cacert",
                                        trusted.cert(),
                                        "--write-out",
                                        " %{http_version} %{http_code}",
                                        "https://127.0.0.1:" + std::to_string(service_->port()) + path};
    command.insert(command.end(), options.begin(), options.end());
    return command;
  }
  [[nodiscard]] std::string health(const Certificate& trusted) const {
    const auto done = run({.command = curl(trusted, "/api/health")});
    return done.out + done.err;
  }
  // SIGHUP; the log's line about the certificate that follows.
  [[nodiscard]] std::string reload() const {
    const std::size_t before = service_->log().size();
    const auto line = [&]() -> std::string {
      const std::string log = service_->log();
      const std::size_t at = log.find("\"event\":\"certificate_", before);
      const std::size_t end = log.find('\n', at);
      return end == std::string::npos ? "" : log.substr(at, end - at);
    };
    service_->signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return !line().empty(); }));
    return line();
  }

  TempDir place_;
  Certificate first_;
  std::unique_ptr<Service> service_;
};

TEST_F(TlsJourney, TakesInventories) {
  Service& service = serve();
  const Login box = service.new_system();
  service.start();
  EXPECT_THAT(service.banner(), HasSubstr("https://127.0.0.1:" + std::to_string(service.port())));
  const auto sent = run({.command = curl(first_, "/api/systems/inventory",
                                         {"--user", box.key + ":" + box.secret, "--data",
                                          R"({"facts":{"distro":{"version":"8"}}})", "--header",
                                          "Content-Type: application/json"})});
  EXPECT_THAT(sent.out, AllOf(HasSubstr("queued"), EndsWith(" 1.1 202"))) << sent.err;
  EXPECT_TRUE(eventually([&] { return service.history(box).size() == 1; }, std::chrono::seconds(30)));
  // Whoever does not know the certificate is told nothing.
  EXPECT_THAT(health(Certificate()), HasSubstr("certificate"));
  EXPECT_THAT(run({.command = {"curl", "--silent",
                               "http://127.0.0.1:" + std::to_string(service.port()) + "/api/health"}})
                  .out,
              HasSubstr("expected TLS (https://)"));
  // Both refusals above, and perhaps the question whether it had started.
  const std::string metrics = run({.command = curl(first_, "/metrics")}).out;
  EXPECT_THAT(metrics, HasSubstr("\ncollect_tls_certificate_end_timestamp_seconds 1"));
  EXPECT_THAT(metrics, AllOf(HasSubstr("\ncollect_tls_failures_total "),
                             Not(HasSubstr("\ncollect_tls_failures_total 0"))));
  EXPECT_EQ(service.stop(), 0);
}

// An upload that began under the old certificate goes on under it.
TEST_F(TlsJourney, ReadsItsCertificateAgainWithoutDroppingConnections) {
  Service& service = serve();
  const Login box = service.new_system();
  service.start();
  const Certificate second(KeyKind::rsa);
  const std::string file = place_.path() / "backup.tar.gz";
  std::ofstream(file) << std::string(3'000'000, 'b');
  Process upload({.command = curl(first_, "/api/systems/backups",
                                  {"--user", box.key + ":" + box.secret, "--data-binary", "@" + file,
                                   "--limit-rate", "200K", "--header", "X-Filename: backup.tar.gz"})});
  const auto begun = [&] {
    const auto files = files_below(service.folder() / "data" / "backups");
    return std::any_of(files.begin(), files.end(), [](const fs::path& backup) {
      std::error_code gone;
      const auto size = fs::file_size(backup, gone);
      return !gone && size > 100'000;
    });
  };
  ASSERT_TRUE(eventually(begun)) << upload.err();
  install(second);
  ASSERT_THAT(reload(), HasSubstr("certificate_loaded"));
  EXPECT_TRUE(eventually([&] { return health(second).ends_with(" 1.1 200"); }));  // told, and then used
  EXPECT_THAT(health(first_), HasSubstr("certificate"));
  EXPECT_TRUE(upload.running());
  EXPECT_EQ(upload.wait_exit(std::chrono::seconds(60)), 0) << upload.err();
  EXPECT_THAT(upload.out(), EndsWith(" 1.1 201"));
}

TEST_F(TlsJourney, KeepsItsCertificateWhenTheNextOneIsBad) {
  Service& service = serve();
  service.start();
  fs::copy_file(Certificate().key(), key(), fs::copy_options::overwrite_existing);
  EXPECT_THAT(reload(), AllOf(HasSubstr("certificate_refused"), HasSubstr(key()), HasSubstr("belong")));
  std::ofstream(cert()) << "half";
  EXPECT_THAT(reload(), AllOf(HasSubstr("certificate_refused"), HasSubstr("PEM form in " + cert())));
  EXPECT_THAT(health(first_), EndsWith(" 1.1 200"));
  install(first_);
  EXPECT_THAT(reload(), HasSubstr("certificate_loaded"));
  EXPECT_THAT(health(first_), EndsWith(" 1.1 200"));
}

TEST_F(TlsJourney, DoesNotStartWithoutAWholeIdentity) {
  constexpr int kUsage = 2;
  Service& service = serve();
  fs::copy_file(Certificate().key(), key(), fs::copy_options::overwrite_existing);
  for (const auto& command :
       {std::vector<std::string>{"serve"}, std::vector<std::string>{"config", "check"}}) {
    const auto done = service.cli(command);
    EXPECT_EQ(done.exit_code, kUsage) << command.front();
    EXPECT_THAT(done.err, AllOf(HasSubstr("TLS_KEY_FILE: the key in " + key()), HasSubstr(cert())));
  }
  fs::remove(cert());
  EXPECT_THAT(service.cli({"serve"}).err, HasSubstr("TLS_CERT_FILE: cannot read " + cert()));
  install(first_);
  EXPECT_THAT(service.cli_output({"config", "check"}), HasSubstr("certificate ok, ends at 20"));
}

}  // namespace
}  // namespace collect::test
