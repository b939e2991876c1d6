// SPDX-License-Identifier: Apache-2.0
#include "support/s3rver.h"

#include <filesystem>
#include <stdexcept>

#include "support/http_client.h"

namespace collect::test {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kObjectEnd = "._S3rver_object";

fs::path program() {
  return fs::path(COLLECT_S3RVER) / "node_modules/s3rver/bin/s3rver.js";
}

}  // namespace

S3rver::S3rver() {
  if (!fs::exists(program()))
    throw std::runtime_error("there is no " + program().string() +
                             ": run scripts/install_s3rver (make test does)");
  for (int tries = 0;; ++tries) {
    port_ = free_port();
    try {
      start();
      return;
    } catch (const std::runtime_error&) {
      if (tries == 3) throw;
    }
  }
}

S3rver::~S3rver() {
  process_->stop(std::chrono::seconds(5));
}

void S3rver::start() {
  process_ = std::make_unique<Process>(ProcessOptions{
      .command = {"node", program(), "--directory", folder_.path(), "--port", std::to_string(port_),
                  "--address", "127.0.0.1", "--silent", "--configure-bucket", kBucket},
      // Its continuation tokens are encrypted with what OpenSSL 3 calls legacy.
      .environment = {{"NODE_OPTIONS", "--openssl-legacy-provider"}},
      .directory = folder_.path()});
  if (process_->wait_for_http(port_, std::string("/") + kBucket, std::chrono::seconds(30))) return;
  throw std::runtime_error("s3rver did not start: " + process_->out() + process_->err());
}

void S3rver::kill_hard() {
  process_->kill_hard();
}

fs::path S3rver::file_of(const std::string& key) const {
  return folder_.path() / kBucket / (key + std::string(kObjectEnd));
}

std::vector<std::string> S3rver::objects() const {
  std::vector<std::string> keys;
  const fs::path bucket = folder_.path() / kBucket;
  for (const fs::path& file : files_below(bucket)) {
    const std::string path = file.lexically_relative(bucket);
    if (path.ends_with(kObjectEnd)) keys.push_back(path.substr(0, path.size() - kObjectEnd.size()));
  }
  return keys;
}

}  // namespace collect::test
