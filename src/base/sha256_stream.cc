// SPDX-License-Identifier: Apache-2.0
#include "base/sha256_stream.h"

#include <openssl/evp.h>

#include <stdexcept>

namespace collect {
namespace {

void check(int done) {
  if (done != 1) throw std::runtime_error("SHA-256 failed in the crypto library");
}

}  // namespace

struct Sha256Stream::Context {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> state{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

Sha256Stream::Sha256Stream() : context_(std::make_unique<Context>()) {
  begin();
}
Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::begin() {
  check(EVP_DigestInit_ex2(context_->state.get(), EVP_sha256(), nullptr));
}

void Sha256Stream::add(std::string_view bytes) {
  check(EVP_DigestUpdate(context_->state.get(), bytes.data(), bytes.size()));
}

Sha256 Sha256Stream::finish() {
  Sha256 out{};
  unsigned int length = 0;
  check(EVP_DigestFinal_ex(context_->state.get(), out.data(), &length));
  begin();
  return out;
}

}  // namespace collect
