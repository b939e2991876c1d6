// SPDX-License-Identifier: Apache-2.0
// An S3 on 127.0.0.1, plain or over TLS, that believes nothing: it checks every signature and every payload's
// hash, holds parts to S3's rules, and can break at any request. Bytes lie in files, so that it can be given
// gigabytes. Addressed by path and by host name (bucket.localhost). All functions are safe from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/fake_s3_signature.h"
#include "support/fake_s3_wire.h"
#include "support/process.h"

namespace collect::test {

class FakeS3 {
 public:
  enum class Fault {
    none,
    slow_down,     // 503 SlowDown, nothing done
    internal,      // 500 InternalError, nothing done
    forbidden,     // 403 AccessDenied, nothing done: nobody will repeat that
    forgotten,     // 404 NoSuchUpload, nothing done
    cut_before,    // the connection ends while the request comes, nothing done
    cut_after,     // done, and then the connection ends without an answer
    cut_inside,    // done, and the connection ends within the answer
    error_in_200,  // 200 with an <Error>, nothing done, as copying and completing do
    no_length,     // done, and the answer does not say how long it is: it ends with the connection
  };

  struct Options {
    S3Credentials credentials{"AKIDEXAMPLE", "secret/of+example", "eu-test-1"};
    std::string bucket = "backups";
    std::size_t page = 1000;    // most keys in one answer
    bool unsigned_too = false;  // for plain curl
    bool signed_payloads_only = false;
    // PEM: it speaks TLS. Empty: plain.
    std::string certificate_file = {};
    std::string key_file = {};
  };

  explicit FakeS3(Options options);
  FakeS3() : FakeS3(Options()) {}
  ~FakeS3();
  FakeS3(const FakeS3&) = delete;
  FakeS3& operator=(const FakeS3&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] const Options& options() const { return options_; }

  // Which fault meets this request; `number` counts from 1. Replaces what was there.
  using Plan = std::function<Fault(int number, const std::string& call)>;
  void plan(Plan plan);
  // Every request so far since the last plan(), "PUT key?partNumber&uploadId", in order of their ends.
  [[nodiscard]] std::vector<std::string> calls() const;
  [[nodiscard]] std::vector<std::string> unsigned_calls() const;  // of these: whose payload was not signed

  [[nodiscard]] std::vector<std::string> objects() const;  // keys, marks too
  // The first bytes of that object. Throws std::out_of_range when there is none.
  [[nodiscard]] std::filesystem::path file_of(const std::string& key) const;
  [[nodiscard]] int connections() const { return connections_; }  // so far
  [[nodiscard]] bool idle() const { return in_hand_ == 0; }       // no request is being handled
  [[nodiscard]] std::size_t uploads() const;                      // neither completed nor aborted
  [[nodiscard]] std::map<std::string, std::string> headers_of(const std::string& key) const;

 private:
  // Some bytes in a file of their own.
  struct Piece {
    std::filesystem::path file;
    std::uint64_t size = 0;
    ~Piece();
  };
  struct Slice {
    std::shared_ptr<const Piece> piece;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
  };
  struct Object {
    std::vector<Slice> slices;
    std::uint64_t size = 0;
    std::string etag;
    std::map<std::string, std::string> headers;
    std::int64_t modified = 0;
  };
  struct Upload {
    std::string key;
    std::map<std::string, std::string> headers;
    std::map<int, Object> parts;
  };
  struct Exchange;

  void accept_all();
  void serve(int socket);
  bool serve_one(FakeS3Wire& wire, std::string& buffer);
  void answer(Exchange& exchange);
  void answer_bucket(Exchange& exchange);
  void answer_get(Exchange& exchange);
  void answer_put(Exchange& exchange);
  void answer_post(Exchange& exchange);
  void answer_delete(Exchange& exchange);
  void complete(Exchange& exchange, Upload& upload);
  std::vector<Slice> cut(const Object& object, std::uint64_t from, std::uint64_t length) const;

  const Options options_;
  const TlsContext tls_;
  TempDir folder_;
  int port_ = 0;
  int listener_ = -1;
  std::atomic<int> pieces_ = 0;
  std::atomic<int> connections_ = 0;
  std::atomic<int> in_hand_ = 0;
  mutable std::mutex mutex_;
  // All guarded by mutex_.
  Plan plan_;
  int number_ = 0;
  std::vector<std::string> calls_;
  std::vector<std::string> unsigned_calls_;
  std::map<std::string, Object> objects_;
  std::map<std::string, Upload> uploads_;
  int last_id_ = 0;
  std::set<int> sockets_;
  std::vector<std::jthread> threads_;
  std::jthread acceptor_;  // last: it uses the others
};

}  // namespace collect::test
