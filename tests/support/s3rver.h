// SPDX-License-Identifier: Apache-2.0
// s3rver, an S3 server of others' making, on 127.0.0.1 with its files in a temporary folder. It does not
// check signatures, cannot list or abort uploads in parts (501, 405), and is addressed by path. Throws
// std::runtime_error when it is not installed or does not start.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "support/process.h"

namespace collect::test {

class S3rver {
 public:
  S3rver();
  ~S3rver();

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }
  static constexpr const char* kBucket = "backups";
  static constexpr const char* kKey = "S3RVER";  // access key and secret key

  // All keys in the bucket.
  [[nodiscard]] std::vector<std::string> objects() const;

  [[nodiscard]] std::filesystem::path file_of(const std::string& key) const;

  void kill_hard();  // SIGKILL
  void start();      // again, on the same port, with what it had

 private:
  TempDir folder_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace collect::test
