// SPDX-License-Identifier: Apache-2.0
// The example for nginx (contrib/nginx.conf) in a real nginx, in front of a real process.
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <regex>

#include "base/hash.h"
#include "journey/service.h"
#include "support/certificate.h"
#include "support/source_dir.h"

namespace collect::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// The example with other ports and files.
class NginxJourney : public testing::Test {
 protected:
  NginxJourney() {
    std::string site = read_text(std::string(COLLECT_SOURCE_DIR) + "/contrib/nginx.conf");
    put(site, "127.0.0.1:8081", "127.0.0.1:" + std::to_string(collect_.port()));
    put(site, "listen 443 ", "listen 127.0.0.1:" + std::to_string(port_) + " ");
    put(site, "/etc/ssl/collect.example.org/fullchain.pem", certificate_.cert());
    put(site, "/etc/ssl/collect.example.org/key.pem", certificate_.key());
    const std::string place = place_.path();
    std::ofstream(config()) << (getuid() == 0 ? "user root;\n" : "") << "daemon off;\npid " << place
                            << "/pid;\nerror_log " << log() << " info;\nevents {}\nhttp {\naccess_log off;\n"
                            << "client_body_temp_path " << place << "/body;\nproxy_temp_path " << place
                            << "/proxy;\nfastcgi_temp_path " << place << "/fastcgi;\nuwsgi_temp_path "
                            << place << "/uwsgi;\nscgi_temp_path " << place << "/scgi;\n"
                            << site << "}\n";
    const auto checked = run({.command = {"nginx", "-t", "-c", config()}});
    if (checked.exit_code != 0) throw std::runtime_error("nginx refuses contrib/nginx.conf: " + checked.err);
    nginx_ = std::make_unique<Process>(ProcessOptions{.command = {"nginx", "-c", config()}});
    if (!eventually([&] { return curl("/api/health").ends_with(" 200"); }))
      throw std::runtime_error("nginx does not pass requests on: " + read_text(log()) + nginx_->err());
  }
  static void put(std::string& text, const std::string& place, const std::string& value) {
    const std::size_t at = text.find(place);
    if (at == std::string::npos) throw std::runtime_error("contrib/nginx.conf has no " + place);
    text.replace(at, place.size(), value);
  }
  // What curl prints: with `--include` head and body, then the status.
  [[nodiscard]] std::string curl(const std::string& path, std::vector<std::string> options = {}) const {
    std::vector<std::string> command = {"curl",
                                        "--silent",
                                        "--show-error",
                                        "--cacert",
                                        certificate_.cert(),
                                        "--write-out",
                                        " %{http_code}",
                                        "https://127.0.0.1:" + std::to_string(port_) + path};
    command.insert(command.end(), options.begin(), options.end());
    const auto done = run({.command = command});
    return done.out + done.err;
  }
  [[nodiscard]] std::string as(const Login& system) const { return system.key + ":" + system.secret; }
  [[nodiscard]] std::string file(const std::string& name, const std::string& content) const {
    const std::string path = place_.path() / name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  [[nodiscard]] std::string config() const { return place_.path() / "nginx.conf"; }
  [[nodiscard]] std::string log() const { return place_.path() / "error.log"; }

  TempDir place_;
  Certificate certificate_;
  RunningService collect_{EngineKind::embedded, {{"TRUSTED_PROXIES", "127.0.0.1"}}};
  int port_ = free_port();
  std::unique_ptr<Process> nginx_;
};

TEST_F(NginxJourney, PassesInventoriesOfAnySizeThatCollectTakes) {
  const Login system = collect_.new_system();
  const auto post = [&](std::size_t size) {
    return curl("/api/systems/inventory",
                {"--user", as(system), "--header", "Content-Type: application/json", "--data-binary",
                 "@" + file("inventory.json", R"({"filler": ")" + std::string(size, 'x') + "\"}")});
  };
  EXPECT_THAT(post(9 << 20), HasSubstr(" 202"));
  EXPECT_THAT(post(11 << 20), AllOf(HasSubstr("max_size_bytes"), HasSubstr(" 413")));
}

TEST_F(NginxJourney, PassesBackupsOnAsTheyCome) {
  const Login system = collect_.new_system();
  std::string content(30 << 20, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 31 + i / 4093);
  const std::string sent = file("backup.bin", content);
  const std::string stored =
      curl("/api/systems/backups",
           {"--user", as(system), "--request", "POST", "--upload-file", sent, "--interface", "127.0.0.2"});
  EXPECT_THAT(stored, AllOf(HasSubstr(" 201"), HasSubstr(to_hex(sha256(content)))));
  std::smatch id;
  ASSERT_TRUE(std::regex_search(stored, id, std::regex("\"id\":\"([^\"]+)\""))) << stored;
  const std::string back = place_.path() / "back.bin";
  EXPECT_EQ(curl("/api/systems/backups/" + id[1].str(), {"--user", as(system), "--output", back}), " 200");
  EXPECT_TRUE(read_text(back) == content);
  // nginx says so where it puts a body aside.
  EXPECT_THAT(read_text(log()), Not(HasSubstr("buffered to a temporary file")));
  // Collect knows who sent it: not the proxy.
  const auto found = run(
      {.command = {"grep", "--recursive", "--text", "-l", "127\\.0\\.0\\.2", collect_.folder().string()}});
  EXPECT_EQ(found.exit_code, 0) << "nowhere below the data: 127.0.0.2";
}

TEST_F(NginxJourney, AsksAppliancesToComeAgainWhileCollectIsAway) {
  collect_.stop();
  EXPECT_THAT(curl("/api/systems/heartbeat", {"--include", "--request", "POST"}),
              AllOf(HasSubstr("retry-after: 30"), HasSubstr(R"({"code":503,)"), HasSubstr(" 503")));
  collect_.start();
  EXPECT_TRUE(eventually([&] { return curl("/api/health").ends_with(" 200"); }, std::chrono::seconds(30)));
}

TEST_F(NginxJourney, KeepsMetricsInside) {
  EXPECT_THAT(curl("/metrics"), HasSubstr(" 404"));
}

}  // namespace
}  // namespace collect::test
